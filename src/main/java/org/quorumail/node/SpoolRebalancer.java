package org.quorumail.node;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.quorumail.cluster.Formation;
import org.quorumail.queue.DeliveryQueue;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.Spool;
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

  /**
   * The longest time from {@link #STARTED} to {@link #COMPLETED}: drained attempts and a transfer.
   */
  public static final Duration MAX_DURATION = DRAIN_TIMEOUT.multipliedBy(2);

  public static final String STARTED = "RebalancingStarted";
  public static final String COMPLETED = "RebalancingCompleted";

  /** The detail of both events that names the spool. */
  public static final String SPOOL = "spool";

  private static final Duration RETRY_AFTER = Duration.ofSeconds(10);

  private final RaftGroups groups;
  private final ClusterMember member;
  private final DeliveryQueue queue;
  private final Map<String, Long> readySince = new HashMap<>();
  private final Map<String, Long> notBefore = new HashMap<>();

  public SpoolRebalancer(RaftGroups groups, ClusterMember member, DeliveryQueue queue) {
    this.groups = groups;
    this.member = member;
    this.queue = queue;
  }

  /** Runs one round over all spools. */
  public void rebalanceAll() {
    for (Spool spool : groups.spools().all()) rebalanceSafely(spool);
  }

  /** A failure for one spool is retried later, and must not keep other spools from their homes. */
  private void rebalanceSafely(Spool spool) {
    try {
      rebalance(spool);
    } catch (RuntimeException e) {
      LOG.error(
          "event=spool_rebalance_failed spool={} reason=\"{}\"", spool.name(), e.toString(), e);
      notBefore.put(spool.name(), System.nanoTime() + RETRY_AFTER.toNanos());
    }
  }

  private void rebalance(Spool spool) {
    Optional<Formation.Member> home = groups.formation().find(spool.home());
    Optional<OwnedSpool> owned = spool.ownedSpool();
    boolean isReady = home.isPresent() && RaftGroups.isReady(member.membership(), home.get());
    if (spool.isHome() || owned.isEmpty() || !isReady) {
      readySince.remove(spool.name());
      return;
    }
    long now = System.nanoTime();
    long since = readySince.computeIfAbsent(spool.name(), name -> now);
    Long pause = notBefore.get(spool.name());
    if (now - since < HOME_READY_FOR.toNanos() || (pause != null && now - pause < 0)) return;
    member.publish(STARTED, Map.of(SPOOL, spool.name(), "to", spool.home()));
    boolean done = transferHome(spool, owned.get());
    member.publish(
        COMPLETED, Map.of(SPOOL, spool.name(), "to", spool.home(), "moved", String.valueOf(done)));
  }

  private boolean transferHome(Spool spool, OwnedSpool owned) {
    boolean moved = false;
    try {
      boolean quiet = queue.drain(owned, DRAIN_TIMEOUT);
      if (!quiet) {
        LOG.warn(
            "event=spool_rebalance_deferred spool={} reason=\"attempts are still running\"",
            spool.name());
      }
      moved = quiet && groups.returnToHome(spool);
      if (moved) readySince.remove(spool.name());
      return moved;
    } finally {
      if (!moved) {
        queue.resume(owned);
        notBefore.put(spool.name(), System.nanoTime() + RETRY_AFTER.toNanos());
      }
    }
  }
}
