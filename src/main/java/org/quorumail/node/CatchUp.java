package org.quorumail.node;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The catch-up of this node's replicas after their start. A group that has had no leader for a
 * while is not waited for: its other members may be gone. One whose leader comes and goes is. Once
 * done, it stays so. Thread-safe.
 */
final class CatchUp {
  /** The longest wait for a leader, some elections long. */
  private static final Duration LEADER_TIMEOUT = Duration.ofSeconds(10);

  private final Supplier<List<String>> behind;
  private final Predicate<String> hasLeader;
  private final LongSupplier nanoTime;
  private final Map<String, Long> leaderlessSince = new HashMap<>();
  private volatile boolean done;

  /**
   * @param behind the groups in which this node lacks entries or knows no leader
   */
  CatchUp(Supplier<List<String>> behind, Predicate<String> hasLeader, LongSupplier nanoTime) {
    this.behind = behind;
    this.hasLeader = hasLeader;
    this.nanoTime = nanoTime;
  }

  /** Whether all replicas have caught up; asked a few times a second until they have. */
  boolean isDone() {
    if (!done) update();
    return done;
  }

  private synchronized void update() {
    long now = nanoTime.getAsLong();
    List<String> groups = behind.get();
    leaderlessSince.keySet().retainAll(groups);
    leaderlessSince.keySet().removeIf(hasLeader);
    boolean waits = false;
    for (String group : groups) {
      long since = hasLeader.test(group) ? now : leaderlessSince.computeIfAbsent(group, g -> now);
      waits |= now - since < LEADER_TIMEOUT.toNanos();
    }
    done = done || !waits;
  }
}
