package org.quorumail.cluster;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Founds the cluster once, without a leader to ask, in whatever order the nodes start. When the
 * expected nodes are seen, this node says which formation that would be; it founds it when all its
 * members have said the same. A node says one formation in its life, so two that differ can never
 * both be founded: each would need the word of a node that has given it to the other.
 *
 * <p>The word may change only for the same nodes: one may have moved to another address, or come
 * back with a wiped directory and so with another name in Raft; what the former one had founded is
 * gone with it.
 */
public final class FormationVote {
  private @Nullable Formation vote;

  /** What this node's card has to say; empty while nodes are missing. */
  public synchronized String proposal() {
    return vote == null ? "" : digest(vote);
  }

  /**
   * Looks at the cards anew.
   *
   * @return the formation that this node belongs to from now on; empty while something is missing
   * @throws ClusterStartException when this node can never be a member, or the cards contradict
   *     each other
   */
  public synchronized Optional<Formation> tally(
      MemberMetadata self, Collection<MemberMetadata> others) throws ClusterStartException {
    Optional<Formation> seen = Formation.fromMetadata(self, others);
    if (seen.isEmpty()) return Optional.empty();
    Formation candidate = seen.get();
    boolean isFounded = others.stream().anyMatch(card -> !card.formed().isEmpty());
    if (isFounded) return seen; // it counts us in: adopted
    if (vote == null || isSameOrReplaced(vote, candidate)) vote = candidate;
    if (!vote.equals(candidate)) {
      throw new ClusterStartException(
          "cluster.expect: this node has agreed to found a cluster of %s, now it sees %s; correct expect or the seeds and start it again"
              .formatted(names(vote), names(candidate)));
    }
    String mine = digest(vote);
    boolean allSaySo = others.stream().allMatch(card -> card.proposal().equals(mine));
    return allSaySo ? Optional.of(vote) : Optional.empty();
  }

  /** The same nodes, perhaps at other addresses, perhaps with another name in Raft. */
  private static boolean isSameOrReplaced(Formation old, Formation seen) {
    return nodeIds(old).equals(nodeIds(seen));
  }

  private static List<String> nodeIds(Formation formation) {
    return formation.members().stream().map(Formation.Member::nodeId).toList();
  }

  private static String names(Formation formation) {
    return String.join(", ", nodeIds(formation));
  }

  /** Over everything that a founding member stores, in one order. */
  private static String digest(Formation formation) {
    StringBuilder text = new StringBuilder();
    for (Formation.Member m : formation.members()) {
      text.append(m.nodeId()).append('|').append(m.peerId()).append('|').append(m.host());
      text.append('|').append(m.raftPort()).append('|').append(m.zone()).append('\n');
    }
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      byte[] digest = sha.digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
