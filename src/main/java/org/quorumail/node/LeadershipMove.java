package org.quorumail.node;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.cluster.Formation;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.Spool;

/**
 * An operator's order to move the leadership of a group that this node leads. A spool is drained
 * first, so that nothing is in doubt. Thread-safe.
 */
public final class LeadershipMove {
  /** An operator waits for the answer; most attempts take less. */
  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

  private final Operations operations;

  /** A spool that this node leads. */
  record LedSpool(String home, boolean isHome, Optional<OwnedSpool> owned) {}

  /** The operations of the node that the move uses. */
  interface Operations {
    String self();

    boolean isInMaintenance();

    /** Present when the group is a spool. */
    Optional<LedSpool> spool(String group);

    /** The ids of the voting members of a group. */
    List<String> members(String group);

    /** Returns why none of these nodes can lead the group now, or nothing. */
    Optional<String> obstacle(String group, List<String> successors);

    boolean handOver(String group, List<String> successors);

    boolean drain(OwnedSpool spool, Duration timeout);

    void resume(OwnedSpool spool);

    long messages(String group);

    void publish(String type, Map<String, String> details);
  }

  public LeadershipMove(
      RaftGroups groups, DeliveryQueue queue, NodeState state, ClusterMember member) {
    this(new NodeOperations(groups, queue, state, member));
  }

  LeadershipMove(Operations operations) {
    this.operations = operations;
  }

  /**
   * Moves the leadership.
   *
   * @param successor the id of a node; empty for any
   * @return why this node leads the group still; empty when another one does
   */
  public Optional<String> run(String group, String successor) {
    List<String> others =
        operations.members(group).stream().filter(m -> !m.equals(operations.self())).toList();
    if (successor.equals(operations.self()))
      return Optional.of(successor + " leads " + group + " already");
    if (!successor.isEmpty() && !others.contains(successor))
      return Optional.of(
          "%s has no vote in %s; these have one: %s"
              .formatted(successor, group, String.join(", ", operations.members(group))));
    if (others.isEmpty()) return Optional.of("no other node is ready: none is in " + group);
    Optional<LedSpool> spool = operations.spool(group);
    return spool.isPresent()
        ? moveSpool(group, spool.get(), successor)
        : handOver(group, successor.isEmpty() ? others : List.of(successor));
  }

  /** A spool whose home is ready would return there at once. */
  private Optional<String> moveSpool(String group, LedSpool spool, String successor) {
    String home = spool.home();
    if (spool.isHome() && !operations.isInMaintenance())
      return Optional.of(
          "%s is the home of %s and would get it back at once; 'quorumail maintenance enter' there moves it away"
              .formatted(home, group));
    boolean homeIsReady =
        !spool.isHome()
            && operations.members(group).contains(home)
            && operations.obstacle(group, List.of(home)).isEmpty();
    if (homeIsReady && !successor.isEmpty() && !successor.equals(home))
      return Optional.of("%s is ready and would get %s back at once".formatted(home, group));
    List<String> successors =
        !successor.isEmpty()
            ? List.of(successor)
            : homeIsReady ? List.of(home) : operations.members(group);
    if (spool.owned().isEmpty()) return handOver(group, successors);
    Optional<String> obstacle = operations.obstacle(group, successors);
    if (obstacle.isPresent()) return notReady(obstacle.get());
    return SpoolMoveEvents.enclose(
        operations::publish,
        SpoolMoveEvents.details(group, "operator", operations.messages(group)),
        () -> drainAndHandOver(group, spool.owned().get(), successors));
  }

  private Optional<String> drainAndHandOver(
      String group, OwnedSpool owned, List<String> successors) {
    boolean moved = false;
    try {
      if (!operations.drain(owned, DRAIN_TIMEOUT))
        return Optional.of("deliveries of " + group + " are still running; try again later");
      Optional<String> failure = handOver(group, successors);
      moved = failure.isEmpty();
      return failure;
    } finally {
      if (!moved) operations.resume(owned);
    }
  }

  private Optional<String> handOver(String group, List<String> successors) {
    Optional<String> obstacle = operations.obstacle(group, successors);
    if (obstacle.isPresent()) return notReady(obstacle.get());
    return operations.handOver(group, successors)
        ? Optional.empty()
        : Optional.of("no other node was elected in time; try again");
  }

  private static Optional<String> notReady(String obstacle) {
    return Optional.of("no other node is ready to lead: " + obstacle);
  }

  private record NodeOperations(
      RaftGroups groups, DeliveryQueue queue, NodeState state, ClusterMember member)
      implements Operations {
    @Override
    public String self() {
      return member.metadata().nodeId();
    }

    @Override
    public boolean isInMaintenance() {
      return state.maintenance().isPresent();
    }

    @Override
    public Optional<LedSpool> spool(String group) {
      return groups.spools().all().stream()
          .filter(s -> s.name().equals(group))
          .findFirst()
          .map((Spool s) -> new LedSpool(s.home(), s.isHome(), s.ownedSpool()));
    }

    @Override
    public List<String> members(String group) {
      return groups.members(group).stream().map(Formation.Member::nodeId).sorted().toList();
    }

    @Override
    public Optional<String> obstacle(String group, List<String> successors) {
      return groups.obstacleToHandOver(group, successors, member.membership());
    }

    @Override
    public boolean handOver(String group, List<String> successors) {
      return groups.handOver(group, successors, member.membership());
    }

    @Override
    public boolean drain(OwnedSpool spool, Duration timeout) {
      return queue.drain(spool, timeout);
    }

    @Override
    public void resume(OwnedSpool spool) {
      queue.resume(spool);
    }

    @Override
    public long messages(String group) {
      return groups.messages(group);
    }

    @Override
    public void publish(String type, Map<String, String> details) {
      member.publish(type, details);
    }
  }
}
