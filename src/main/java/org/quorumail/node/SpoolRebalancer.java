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
 * Gives spools that this node took over back to their homes: drains the attempts, then hands the
 * leadership over, so that nothing is in doubt and nothing is delivered twice. All nodes are told
 * when it begins and how it ended. Runs in one virtual thread.
 */
public final class SpoolRebalancer {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolRebalancer.class);

  /** The time between two looks. */
  public static final Duration INTERVAL = Duration.ofSeconds(1);

  /** A home that has just come up may go down again at once; hand-overs are not free. */
  private static final Duration HOME_READY_FOR = Duration.ofSeconds(2);

  private static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(30);

  /** From {@link #STARTED} to {@link #COMPLETED}: the attempts are drained, then a hand-over. */
  public static final Duration MAX_DURATION = DRAIN_TIMEOUT.multipliedBy(2);

  public static final String STARTED = "RebalancingStarted";
  public static final String COMPLETED = "RebalancingCompleted";

  /** The detail of both that names what goes back. */
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

  /** Looks at all spools once. */
  public void rebalanceAll() {
    for (Spool spool : groups.spools().all()) rebalanceSafely(spool);
  }

  /** What fails for one spool is tried again, and must not keep the others from their homes. */
  private void rebalanceSafely(Spool spool) {
    try {
      rebalance(spool);
    } catch (RuntimeException e) {
      LOG.error("give_back_failed spool={} reason=\"{}\"", spool.name(), e.toString(), e);
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
        LOG.warn("give_back_waits spool={} reason=\"attempts are still running\"", spool.name());
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
