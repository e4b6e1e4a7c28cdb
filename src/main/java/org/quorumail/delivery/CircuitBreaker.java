package org.quorumail.delivery;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Remembers that a host fails, so that it is left alone for a while; then one attempt tries it
 * again, and its result decides for all. Times are nanoTime.
 */
final class CircuitBreaker {
  /**
   * A host that nobody has tried for so long after it might be is forgotten: its mail has gone
   * elsewhere or was given up, and hosts that never come back must not gather here.
   */
  static final Duration FORGET_AFTER = Duration.ofHours(1);

  private final CircuitBreakerConfig limits;
  private final Deque<Long> failures = new ArrayDeque<>(); // at most limits.failures()
  private boolean open;
  private long openUntil;

  CircuitBreaker(CircuitBreakerConfig limits) {
    this.limits = limits;
  }

  /**
   * Whether the host may be tried; a true on an open circuit makes the caller the one who tries.
   */
  synchronized boolean allows(long now) {
    if (!open) return true;
    if (now - openUntil < 0) return false;
    openUntil = now + limits.openFor().toNanos(); // the others wait for the one
    return true;
  }

  synchronized void succeeded() {
    open = false;
    failures.clear();
  }

  /** Returns whether the circuit was opened by this failure. */
  synchronized boolean failed(long now) {
    failures.addLast(now);
    long since = now - limits.within().toNanos();
    while (failures.getFirst() - since < 0) failures.removeFirst();
    boolean opens = !open && failures.size() >= limits.failures();
    if (open || opens) openUntil = now + limits.openFor().toNanos();
    open |= opens;
    if (failures.size() >= limits.failures()) failures.removeFirst();
    return opens;
  }

  synchronized boolean isOpen() {
    return open;
  }

  synchronized long openUntil() {
    return openUntil;
  }

  /** Whether there is nothing to remember. */
  synchronized boolean forgettable(long now) {
    if (open) return now - openUntil > FORGET_AFTER.toNanos();
    return failures.isEmpty() || now - failures.getLast() > limits.within().toNanos();
  }
}
