package org.quorumail.node;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.cluster.FeatureSupport;
import org.quorumail.cluster.MetaState;
import org.quorumail.cluster.Placement;
import org.quorumail.replication.ReplicatedLog;

/**
 * Changes that an operator makes to the state of the meta group from any node. A change is in force
 * on this node when {@link #commit} returns. Thread-safe.
 */
final class MetaChanges {
  /** The callers of the API wait; another node waits for a change for eight seconds. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** The time for this node's own replica, which gets the entry with the next heartbeat. */
  private static final Duration APPLY_TIMEOUT = Duration.ofSeconds(2);

  private final ClusterMember member;
  private final NodeState state;

  MetaChanges(ClusterMember member, NodeState state) {
    this.member = member;
    this.state = state;
  }

  /** The state as this node has it; empty before the formation. */
  Optional<MetaState> state() {
    return state.groups().map(RaftGroups::meta);
  }

  /**
   * Commits an entry and returns its reply.
   *
   * @throws ChangeRefusedException when the meta group cannot decide now
   */
  byte[] commit(byte[] entry) {
    RaftGroups groups = groups();
    ReplicatedLog log = groups.log(Placement.META_GROUP).orElseThrow();
    if (log.leader().isEmpty()) {
      throw ChangeRefusedException.noQuorum(
          "the cluster has no leader, as too few nodes reach each other: nothing was changed");
    }
    try {
      ReplicatedLog.AppendResult committed = log.append(entry, TIMEOUT).get();
      groups.meta().awaitApplied(committed.position(), APPLY_TIMEOUT);
      return committed.reply();
    } catch (ExecutionException e) {
      throw ChangeRefusedException.noQuorum(
          "no quorum has confirmed the change: it may still take effect, so look before you repeat"
              + " it");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ChangeRefusedException.noQuorum(
          "the node is stopping: the change may still take effect, so look before you repeat it");
    }
  }

  /**
   * Refuses the first change of a kind while a member runs a release that does not know it. Later
   * the members are not asked again: each of them has applied one.
   */
  void requireOnAllMembers(String feature, String what) {
    RaftGroups groups = groups();
    new FeatureSupport(groups.map(), member.metadata(), member.membership().members())
        .memberWithout(feature)
        .ifPresent(
            node -> {
              throw ChangeRefusedException.conflict(
                  "%s is down, or its release cannot keep %s in the cluster; the first change needs all members there and upgraded: nothing was changed"
                      .formatted(node, what));
            });
  }

  private RaftGroups groups() {
    return state
        .groups()
        .orElseThrow(
            () ->
                ChangeRefusedException.noQuorum(
                    "the cluster is not formed yet: nothing was changed"));
  }
}
