package org.quorumail.node;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The catch-up of this node's replicas after their start. A group that has had no leader for a
 * while is not waited for: its other members may be gone. One whose leader comes and goes is. The
 * wait as a whole is bounded: one replica that cannot catch up must not keep a node out of service.
 * Once done, it stays so. Thread-safe.
 */
final class CatchUp {
  private static final Logger LOG = LoggerFactory.getLogger(CatchUp.class);

  /** The longest wait for a leader, some elections long. */
  private static final Duration LEADER_TIMEOUT = Duration.ofSeconds(10);

  /** The time for a spool of some gigabytes over a slow network. */
  static final Duration LIMIT = Duration.ofMinutes(10);

  private final Supplier<List<String>> behind;
  private final Predicate<String> hasLeader;
  private final LongSupplier nanoTime;
  private final Map<String, Long> leaderlessSince = new HashMap<>();
  private final long startedNanos;
  private volatile boolean done;
  private volatile List<String> abandoned = List.of();

  /**
   * @param behind the groups in which this node lacks entries or knows no leader
   */
  CatchUp(Supplier<List<String>> behind, Predicate<String> hasLeader, LongSupplier nanoTime) {
    this.behind = behind;
    this.hasLeader = hasLeader;
    this.nanoTime = nanoTime;
    this.startedNanos = nanoTime.getAsLong();
  }

  /** Whether all replicas have caught up; asked a few times a second until they have. */
  boolean isDone() {
    if (!done) update();
    return done;
  }

  /** The groups that had not caught up when the wait ended, as far as they still have not. */
  List<String> abandoned() {
    if (abandoned.isEmpty()) return abandoned;
    List<String> groups = behind.get();
    return abandoned.stream().filter(groups::contains).toList();
  }

  private synchronized void update() {
    if (done) return;
    long now = nanoTime.getAsLong();
    List<String> groups = behind.get();
    leaderlessSince.keySet().retainAll(groups);
    leaderlessSince.keySet().removeIf(hasLeader);
    boolean waits = false;
    for (String group : groups) {
      long since = hasLeader.test(group) ? now : leaderlessSince.computeIfAbsent(group, g -> now);
      waits |= now - since < LEADER_TIMEOUT.toNanos();
    }
    if (waits && now - startedNanos >= LIMIT.toNanos()) {
      LOG.warn(
          "event=catch_up_abandoned groups={} minutes={} reason=\"these replicas lack entries that"
              + " others have; the node is ready without them\"",
          groups,
          LIMIT.toMinutes());
      abandoned = groups;
      waits = false;
    }
    done = !waits;
  }
}
