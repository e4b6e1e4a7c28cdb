package org.quorumail;

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
final class GiveBack implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(GiveBack.class);
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** A home that has just come up may go down again at once; hand-overs are not free. */
  private static final Duration SETTLED = Duration.ofSeconds(2);

  private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(30);

  /** From {@link #STARTED} to {@link #COMPLETED}: the attempts are drained, then a hand-over. */
  static final Duration LONGEST = DRAIN_PATIENCE.multipliedBy(2);

  static final String STARTED = "RebalancingStarted";
  static final String COMPLETED = "RebalancingCompleted";

  /** The detail of both that names what goes back. */
  static final String SPOOL = "spool";

  private static final Duration RETRY_AFTER = Duration.ofSeconds(10);

  private final Groups groups;
  private final ClusterMember member;
  private final DeliveryQueue queue;
  private final Map<String, Long> readySince = new HashMap<>();
  private final Map<String, Long> notBefore = new HashMap<>();

  GiveBack(Groups groups, ClusterMember member, DeliveryQueue queue) {
    this.groups = groups;
    this.member = member;
    this.queue = queue;
  }

  @Override
  public void run() {
    try {
      while (true) {
        Thread.sleep(INTERVAL);
        for (Spool spool : groups.spools().all()) attempt(spool);
      }
    } catch (InterruptedException e) {
      log.debug("give_back_stopped");
    }
  }

  /** What fails for one spool is tried again, and must not keep the others from their homes. */
  private void attempt(Spool spool) {
    try {
      consider(spool);
    } catch (RuntimeException e) {
      log.error("give_back_failed spool={} reason=\"{}\"", spool.name(), e.toString(), e);
      notBefore.put(spool.name(), System.nanoTime() + RETRY_AFTER.toNanos());
    }
  }

  private void consider(Spool spool) {
    Optional<Formation.Member> home = groups.formation().find(spool.home());
    Optional<OwnedSpool> owned = spool.owned();
    boolean isReady = home.isPresent() && Groups.isReady(member.membership(), home.get());
    if (spool.isHome() || owned.isEmpty() || !isReady) {
      readySince.remove(spool.name());
      return;
    }
    long now = System.nanoTime();
    long since = readySince.computeIfAbsent(spool.name(), name -> now);
    Long pause = notBefore.get(spool.name());
    if (now - since < SETTLED.toNanos() || (pause != null && now - pause < 0)) return;
    member.publish(STARTED, Map.of(SPOOL, spool.name(), "to", spool.home()));
    boolean done = giveBack(spool, owned.get());
    member.publish(
        COMPLETED, Map.of(SPOOL, spool.name(), "to", spool.home(), "moved", String.valueOf(done)));
  }

  private boolean giveBack(Spool spool, OwnedSpool owned) {
    boolean moved = false;
    try {
      boolean quiet = queue.drain(owned, DRAIN_PATIENCE);
      if (!quiet) {
        log.warn("give_back_waits spool={} reason=\"attempts are still running\"", spool.name());
      }
      moved = quiet && groups.giveBack(spool);
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
