package org.quorumail.node;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.spool.OwnedSpool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rebalancer of spools: it transfers spools that this node took over back to their homes. It
 * drains the attempts first, then transfers the leadership, so that nothing is in doubt and nothing
 * is delivered twice. Begin and end are published to all nodes. Called by one thread.
 */
public final class SpoolRebalancer {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolRebalancer.class);

  /** The time between two rounds. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  /** A home that has just started may stop again at once, and a transfer is not free. */
  private static final Duration HOME_READY_FOR = Duration.ofSeconds(2);

  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(30);

  /** The longest time between the two events of a move: drained attempts and a transfer. */
  public static final Duration MAX_DURATION = DRAIN_TIMEOUT.multipliedBy(2);

  private static final Duration RETRY_AFTER = Duration.ofSeconds(10);

  /** The least time between two log lines about a spool whose home has not caught up. */
  private static final Duration OBSTACLE_LOG_INTERVAL = Duration.ofMinutes(1);

  private final Operations operations;
  private final LongSupplier nanoTime;
  private final Map<String, Long> readySince = new HashMap<>();
  private final Map<String, Long> notBefore = new HashMap<>();
  private final Map<String, Long> obstacleLogged = new HashMap<>();

  /** A spool as the rebalancer sees it; {@code owned} while this node owns it. */
  record Candidate(String name, String home, boolean isHome, Optional<OwnedSpool> owned) {}

  /** The operations of the node that the rebalancer uses. */
  interface Operations {
    List<Candidate> candidates();

    boolean isReady(String nodeId);

    /** Returns why the home cannot lead the spool now, or nothing. */
    Optional<String> obstacle(Candidate spool);

    void publish(String type, Map<String, String> details);

    /** The number of messages in a spool. */
    long messages(String spool);

    /** Stops new attempts and waits for running ones; true when none is left. */
    boolean drain(OwnedSpool spool, Duration timeout);

    void resume(OwnedSpool spool);

    boolean returnToHome(Candidate spool);
  }

  public SpoolRebalancer(RaftGroups groups, ClusterMember member, DeliveryQueue queue) {
    this(new NodeOperations(groups, member, queue), System::nanoTime);
  }

  SpoolRebalancer(Operations operations, LongSupplier nanoTime) {
    this.operations = operations;
    this.nanoTime = nanoTime;
  }

  /** Runs one round over all spools. */
  public void rebalanceAll() {
    for (Candidate spool : operations.candidates()) rebalanceSafely(spool);
  }

  /** A failure for one spool is retried later, and must not keep other spools from their homes. */
  private void rebalanceSafely(Candidate spool) {
    try {
      rebalance(spool);
    } catch (RuntimeException e) {
      LOG.error(
          "event=spool_rebalance_failed spool={} reason=\"{}\"", spool.name(), e.toString(), e);
      notBefore.put(spool.name(), nanoTime.getAsLong() + RETRY_AFTER.toNanos());
    }
  }

  private void rebalance(Candidate spool) {
    if (spool.isHome() || spool.owned().isEmpty() || !operations.isReady(spool.home())) {
      readySince.remove(spool.name());
      return;
    }
    long now = nanoTime.getAsLong();
    long since = readySince.computeIfAbsent(spool.name(), name -> now);
    Long pause = notBefore.get(spool.name());
    if (now - since < HOME_READY_FOR.toNanos() || (pause != null && now - pause < 0)) return;
    Optional<String> obstacle = operations.obstacle(spool);
    if (obstacle.isPresent()) {
      logObstacle(spool, obstacle.get(), now);
      return;
    }
    Map<String, String> details =
        new HashMap<>(
            SpoolMoveEvents.details(spool.name(), "home", operations.messages(spool.name())));
    details.put(SpoolMoveEvents.TO, spool.home());
    SpoolMoveEvents.enclose(
        operations::publish, details, () -> transferHome(spool, spool.owned().get()));
  }

  /** Such a home is asked again in each round, since nothing was changed. */
  private void logObstacle(Candidate spool, String obstacle, long now) {
    Long logged = obstacleLogged.get(spool.name());
    if (logged != null && now - logged < OBSTACLE_LOG_INTERVAL.toNanos()) return;
    obstacleLogged.put(spool.name(), now);
    LOG.warn("event=spool_rebalance_deferred spool={} reason=\"{}\"", spool.name(), obstacle);
  }

  private Optional<String> transferHome(Candidate spool, OwnedSpool owned) {
    boolean moved = false;
    try {
      boolean drained = operations.drain(owned, DRAIN_TIMEOUT);
      moved = drained && operations.returnToHome(spool);
      if (moved) {
        readySince.remove(spool.name());
        return Optional.empty();
      }
      String reason = drained ? "its home was not elected" : "attempts are still running";
      LOG.warn("event=spool_rebalance_deferred spool={} reason=\"{}\"", spool.name(), reason);
      return Optional.of(reason);
    } finally {
      if (!moved) {
        operations.resume(owned);
        notBefore.put(spool.name(), nanoTime.getAsLong() + RETRY_AFTER.toNanos());
      }
    }
  }

  private record NodeOperations(RaftGroups groups, ClusterMember member, DeliveryQueue queue)
      implements Operations {
    @Override
    public List<Candidate> candidates() {
      return groups.spools().all().stream()
          .map(s -> new Candidate(s.name(), s.home(), s.isHome(), s.ownedSpool()))
          .toList();
    }

    @Override
    public boolean isReady(String nodeId) {
      return groups
          .map()
          .find(nodeId)
          .filter(home -> RaftGroups.isReady(member.membership(), home))
          .isPresent();
    }

    @Override
    public Optional<String> obstacle(Candidate spool) {
      return groups.obstacleToReturn(spool.name(), spool.home());
    }

    @Override
    public void publish(String type, Map<String, String> details) {
      member.publish(type, details);
    }

    @Override
    public long messages(String spool) {
      return groups.messages(spool);
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
    public boolean returnToHome(Candidate spool) {
      return groups.returnToHome(spool.name(), spool.home());
    }
  }
}
