package org.quorumail.cluster;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The vote of this node on the formation of the cluster, which is founded once and without a
 * leader, in whatever order the nodes start. When it sees the expected nodes, a node votes for the
 * formation of exactly these. It founds that formation when all its members have voted for it. A
 * node votes for one formation only, so two different ones can never both be founded: each would
 * need the vote of a node that has voted for the other.
 *
 * <p>A vote may change only for the same nodes. One of them may have moved to another address, or
 * have lost its directory and returned with another name in Raft; anything that its former life
 * founded was lost with the directory. Thread-safe.
 */
public final class FormationVote {
  private @Nullable Formation vote;

  /** The digest of the formation that this node votes for; empty while nodes are missing. */
  public synchronized String proposal() {
    return vote == null ? "" : vote.digest();
  }

  /**
   * Counts the votes in the metadata.
   *
   * @return the formation that this node belongs to from now on; empty while votes are missing
   * @throws ClusterStartException when this node can never be a member, or the metadata contradict
   *     each other
   */
  public synchronized Optional<Formation> tally(
      MemberMetadata self, Collection<MemberMetadata> others) throws ClusterStartException {
    Optional<Formation> seen = Formation.fromMetadata(self, others);
    if (seen.isEmpty()) return Optional.empty();
    Formation candidate = seen.get();
    boolean isFounded = others.stream().anyMatch(node -> !node.formed().isEmpty());
    if (isFounded) return seen; // it includes this node
    if (vote == null || isSameOrReplaced(vote, candidate)) vote = candidate;
    if (!vote.equals(candidate)) {
      throw new ClusterStartException(
          "cluster.expect: this node has agreed to found a cluster of %s, now it sees %s; correct expect or the seeds and start it again"
              .formatted(names(vote), names(candidate)));
    }
    String mine = vote.digest();
    boolean unanimous = others.stream().allMatch(node -> node.proposal().equals(mine));
    return unanimous ? Optional.of(vote) : Optional.empty();
  }

  /**
   * Reports whether both have the same nodes, perhaps at other addresses or with other Raft names.
   */
  private static boolean isSameOrReplaced(Formation old, Formation seen) {
    return nodeIds(old).equals(nodeIds(seen));
  }

  private static List<String> nodeIds(Formation formation) {
    return formation.members().stream().map(Formation.Member::nodeId).toList();
  }

  private static String names(Formation formation) {
    return String.join(", ", nodeIds(formation));
  }
}
