package org.quorumail.delivery;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.quorumail.smtp.client.Dial;

/**
 * The budget of attempts that open a connection. It is smaller than that of all attempts, so hosts
 * that do not answer leave room for those that do. Where attempts wait for it, dials that last
 * longer than a healthy host needs are cut, but for a few. Thread-safe. Times are nanoTime.
 */
final class DialBudget {
  /** Half of the attempts may dial; the other half is for open connections. */
  private static final int ATTEMPTS_PER_DIAL = 2;

  private static final int MIN_DIALS = 4;

  /** The part of the budget that only destinations that took mail lately may use. */
  private static final double RESERVED_FOR_LIVING = 0.25;

  /** The part of the budget that slow dials keep while others wait. */
  private static final double SLOW = 0.25;

  /** A host on the other side of the earth takes a connection within 300 ms. */
  static final Duration SLOW_CONNECT = Duration.ofMillis(500);

  /** Hosts that make talkers wait for their greeting do so for up to six seconds by default. */
  static final Duration SLOW_GREETING = Duration.ofSeconds(7);

  private final int limit;
  private final int limitForUnknown;
  private final int slowLimit;
  private final Set<Permit> permits = new HashSet<>();
  private final Runnable onRoom;
  private int reserved; // for attempts that are admitted and have not begun
  private boolean demand; // the last attempt that asked was refused
  private long ended;

  /**
   * @param maxAttempts the attempts that run at once
   * @param onRoom called when a dial has ended that others wait for
   */
  DialBudget(int maxAttempts, Runnable onRoom) {
    limit = Math.max(MIN_DIALS, maxAttempts / ATTEMPTS_PER_DIAL);
    limitForUnknown = limit - (int) (limit * RESERVED_FOR_LIVING);
    slowLimit = (int) (limit * SLOW);
    this.onRoom = onRoom;
  }

  /** The permit of one attempt to open connections, until the first one is open. */
  final class Permit implements AutoCloseable {
    private final Dial dial = new Dial();

    Dial dial() {
      return dial;
    }

    /** Returns the room; a second call does nothing. */
    @Override
    public void close() {
      release(this);
    }
  }

  /** Reserves room for an attempt that may have to dial; false when there is none. */
  synchronized boolean reserve(boolean isLiving) {
    boolean room = permits.size() + reserved < (isLiving ? limit : limitForUnknown);
    if (room) reserved++;
    demand = !room; // others that wait ask again, and are refused
    return room;
  }

  /** Turns a reservation into the permit of an attempt. */
  synchronized Permit begin() {
    reserved--;
    Permit permit = new Permit();
    permits.add(permit);
    return permit;
  }

  /** Returns the room of an attempt that does not begin. */
  void cancel() {
    boolean waited;
    synchronized (this) {
      reserved--;
      ended++;
      waited = demand;
    }
    if (waited) onRoom.run();
  }

  /** A permit of an attempt that is not expected to dial. */
  Permit uncounted() {
    return new Permit();
  }

  private void release(Permit permit) {
    boolean waited;
    synchronized (this) {
      if (!permits.remove(permit)) return;
      ended++;
      waited = demand;
    }
    if (waited) onRoom.run();
  }

  /**
   * The number of permits and reservations that have ended: an attempt that was refused need not
   * ask before.
   */
  synchronized long ended() {
    return ended;
  }

  synchronized int running() {
    return permits.size() + reserved;
  }

  /**
   * Aborts slow dials where others wait: the youngest, so that the old ones end by themselves.
   *
   * @return whether attempts wait for room
   */
  boolean cutSlow(long now) {
    List<Permit> slow = new ArrayList<>();
    synchronized (this) {
      if (running() < limitForUnknown) demand = false;
      if (!demand) return false;
      for (Permit permit : permits) if (isSlow(permit.dial, now)) slow.add(permit);
    }
    slow.sort(Comparator.comparingLong(permit -> permit.dial.sinceNanos() - now));
    for (int i = slowLimit; i < slow.size(); i++) slow.get(i).dial.abort();
    return true;
  }

  private static boolean isSlow(Dial dial, long now) {
    long age = now - dial.sinceNanos();
    return switch (dial.stage()) {
      case IDLE -> false;
      case CONNECTING -> age > SLOW_CONNECT.toNanos();
      case GREETING -> age > SLOW_GREETING.toNanos();
    };
  }
}
