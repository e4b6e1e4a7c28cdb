package org.quorumail.node;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.NodeDeparture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The orderly way of this node out of its cluster. Its spool stays with the other replicas, whose
 * owner delivers what is in it. The next revision of the cluster map gives its places to other
 * nodes; it votes in each group until the others have changed that, so no group has a member less
 * meanwhile.
 */
public final class ClusterDeparture {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterDeparture.class);

  /** The timeout of the revision without this node: longer than two elections of the meta group. */
  private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(15);

  /**
   * The timeout of the changes of all groups. A replacement gets the log of a spool first, which
   * takes a while for a long queue.
   */
  private static final Duration CHANGE_TIMEOUT = Duration.ofMinutes(2);

  private static final Duration POLL = Duration.ofMillis(200);

  private final RaftGroups groups;
  private final ClusterMember member;

  public ClusterDeparture(RaftGroups groups, ClusterMember member) {
    this.groups = groups;
    this.member = member;
  }

  /** The reason why this node cannot leave now; one sentence that says what to do. */
  public Optional<String> problem() {
    if (isRemoved(groups.latestMap())) return Optional.empty(); // it has left already
    return departure(groups.latestMap()).problem();
  }

  /**
   * Leaves. Called when no transaction and no attempt runs any more; the node must stop afterwards.
   *
   * @return why this node is still a member, or still votes; empty when it has left
   */
  public Optional<String> leave() throws InterruptedException {
    groups.spools().endOwnership();
    groups.expectRemoval();
    groups.transferAll(member.membership());
    Optional<String> failure = commit();
    if (failure.isPresent()) return failure;
    List<String> voting = awaitChanges();
    if (voting.isEmpty()) return Optional.empty();
    LOG.warn("event=node_left_early groups={} seconds={}", voting, CHANGE_TIMEOUT.toSeconds());
    return Optional.of(
        "it is no member any more, but %s still count its vote; the other nodes go on changing them"
            .formatted(voting));
  }

  /** Commits the map without this node; others may change the map at the same time. */
  private Optional<String> commit() throws InterruptedException {
    long until = System.nanoTime() + COMMIT_TIMEOUT.toNanos();
    while (true) {
      ClusterMap present = groups.latestMap();
      if (isRemoved(present)) return Optional.empty();
      NodeDeparture departure = departure(present);
      Optional<String> failure = departure.problem().or(() -> proposed(departure.next()));
      if (failure.isEmpty()) {
        LOG.info("event=node_leaves revision={}", departure.next().revision());
        return failure;
      }
      if (System.nanoTime() - until > 0) return failure;
      Thread.sleep(POLL);
    }
  }

  /** Whether the others have removed this node, be it by the meta group's log or by gossip. */
  private boolean isRemoved(ClusterMap present) {
    return member.removal().isPresent() || present.findPeer(member.metadata().peerId()).isEmpty();
  }

  private Optional<String> proposed(ClusterMap next) {
    try {
      return groups.propose(next);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("the node is stopping");
    }
  }

  /** Waits for the other nodes; returns the groups that still count the vote of this one. */
  private List<String> awaitChanges() throws InterruptedException {
    long until = System.nanoTime() + CHANGE_TIMEOUT.toNanos();
    List<String> voting = groups.votingGroups();
    while (!voting.isEmpty() && System.nanoTime() - until < 0) {
      Thread.sleep(POLL);
      groups.transferAll(member.membership()); // it may have been elected again
      voting = groups.votingGroups();
    }
    return voting;
  }

  private NodeDeparture departure(ClusterMap map) {
    return new NodeDeparture(
        map, groups.metaVoters(), member.metadata(), member.membership().members());
  }
}
