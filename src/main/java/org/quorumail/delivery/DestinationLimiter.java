package org.quorumail.delivery;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.RateLimit;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpConnection;

/**
 * The traffic to one destination: the number of attempts that may run and that do run, and the idle
 * connections. The window of attempts grows by one with each success and halves with each failure.
 * Thread-safe. Times are nanoTime.
 */
final class DestinationLimiter {
  /** The window of a destination before its first result: nobody knows what it can take. */
  static final int INITIAL_WINDOW = 1;

  /** A destination that has answered within this time is living: it may use the reserved dials. */
  private static final Duration LIVING_FOR = Duration.ofMinutes(10);

  /** The pause after the second failure in a row to reach any host; it doubles with each. */
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);

  /** As long as the circuit of a host is open by default. */
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  private static final int MAX_DOUBLINGS = 9; // more than the longest pause

  /**
   * Bridges the gaps of a busy queue. A longer time would hold sessions that the server could give
   * to other clients, and many servers penalize that.
   */
  static final Duration MAX_IDLE = Duration.ofSeconds(5);

  /** After this age a new connection follows changed MX records and spreads over equal hosts. */
  static final Duration MAX_AGE = Duration.ofMinutes(5);

  static final int MAX_TRANSACTIONS = 1000;

  private final int maxConnections;
  private final @Nullable TokenBucket bucket;
  private final Deque<IdleConnection> idle = new ArrayDeque<>();
  private int window;
  private @Nullable TokenBucket slow; // while the destination is slowed down
  private long slowUntil;
  private int running;
  private long circuitOpenUntil;
  private boolean trialRequested;
  private long lastUsed;
  private int reservedDials; // by attempts that are admitted and have not begun
  private boolean hasAnswered;
  private long lastAnswer;
  private int failuresInARow; // to reach any host

  private record IdleConnection(SmtpConnection connection, long since) {}

  DestinationLimiter(Destination destination, long now) {
    maxConnections = destination.maxConnections();
    window = Math.min(INITIAL_WINDOW, maxConnections);
    bucket = destination.rateLimit().map(limit -> new TokenBucket(limit, now)).orElse(null);
    circuitOpenUntil = now;
    lastUsed = now;
  }

  /** Counts one attempt in, or says when to ask again. */
  synchronized Admission admit(long now) {
    lastUsed = now;
    if (now - circuitOpenUntil < 0) return new Admission.CircuitOpen(circuitOpenUntil);
    if (slow != null && now - slowUntil >= 0) slow = null;
    if (running >= (slow == null ? window : 1)) return new Admission.Full();
    if (slow != null && !slow.take(now)) {
      return new Admission.RateLimited(now + slow.nanosUntilNext());
    }
    if (bucket != null && !bucket.take(now)) {
      if (slow != null) slow.giveBack();
      return new Admission.RateLimited(now + bucket.nanosUntilNext());
    }
    running++;
    return new Admission.Granted();
  }

  /** Takes back an admission that has led to nothing, with its tokens. */
  synchronized void withdraw() {
    release();
    if (slow != null) slow.giveBack();
    if (bucket != null) bucket.giveBack();
  }

  synchronized void reserveDial() {
    reservedDials++;
  }

  /** Returns whether an attempt that begins, or is cancelled, has room to dial. */
  synchronized boolean takeReservedDial() {
    if (reservedDials == 0) return false;
    reservedDials--;
    return true;
  }

  /** Ends one attempt that was granted. */
  synchronized void release() {
    if (running == 0) throw new IllegalStateException("released without an admitted attempt");
    running--;
  }

  /** Returns whether an attempt needs no new connection, as far as can be known before it. */
  synchronized boolean hasIdle() {
    return !idle.isEmpty();
  }

  synchronized boolean isLiving(long now) {
    return hasAnswered && now - lastAnswer < LIVING_FOR.toNanos();
  }

  /** Notes that a host has taken part in a transaction, whatever it replied. */
  synchronized void answered(long now) {
    hasAnswered = true;
    lastAnswer = now;
    failuresInARow = 0;
  }

  /**
   * Notes that no host could be reached. From the second time on nothing is tried for a while: the
   * circuit of a host counts failures within a minute, and slow ones would never open it.
   */
  synchronized void unreachable(long now) {
    shrinkWindow();
    failuresInARow++;
    if (failuresInARow < 2) return;
    int doublings = Math.min(failuresInARow - 2, MAX_DOUBLINGS);
    long pause = Math.min(FIRST_PAUSE.toNanos() << doublings, LONGEST_PAUSE.toNanos());
    openCircuitUntil(now + pause);
  }

  synchronized void growWindow() {
    if (slow != null) return;
    window = Math.min(window + 1, maxConnections);
    assert window >= 1 : "a destination without a window";
  }

  synchronized void shrinkWindow() {
    window = Math.max(1, window / 2);
  }

  /**
   * Admits one attempt at a time, at this rate, until a time; then the window opens slowly.
   *
   * @return whether the destination was not slowed down before
   */
  synchronized boolean slowDown(RateLimit rate, long now, long until) {
    boolean begins = slow == null || now - slowUntil >= 0;
    if (begins) {
      slow = new TokenBucket(rate, now);
      slowUntil = until;
    } else if (until - slowUntil > 0) {
      slowUntil = until;
    }
    window = 1;
    return begins;
  }

  /** Admits nothing until the given time, when all hosts of the destination fail. */
  synchronized void openCircuitUntil(long until) {
    circuitOpenUntil = until;
    window = 1; // the next attempt is a trial
  }

  /** Admits attempts again, the first of which tries the hosts in spite of their circuits. */
  synchronized void requestTrial(long now) {
    if (now - circuitOpenUntil < 0) circuitOpenUntil = now;
    trialRequested = true;
  }

  /** Returns whether this attempt is the requested trial. */
  synchronized boolean takeTrial() {
    boolean requested = trialRequested;
    trialRequested = false;
    return requested;
  }

  /** Takes the wanted connection that was used last, so that the others can expire. */
  Optional<SmtpConnection> takeIdle(long now, Predicate<ServerEndpoint> wanted) {
    while (true) {
      IdleConnection candidate;
      synchronized (this) {
        candidate = pollFirst(wanted);
      }
      if (candidate == null) return Optional.empty();
      SmtpConnection connection = candidate.connection;
      if (now - candidate.since < MAX_IDLE.toNanos() && connection.isUsable()) {
        return Optional.of(connection);
      }
      connection.close();
    }
  }

  private @Nullable IdleConnection pollFirst(Predicate<ServerEndpoint> wanted) {
    for (Iterator<IdleConnection> i = idle.iterator(); i.hasNext(); ) {
      IdleConnection candidate = i.next();
      if (!wanted.test(candidate.connection.peer())) continue;
      i.remove();
      return candidate;
    }
    return null;
  }

  /** Keeps a connection for the next message, or ends it when it is old. */
  void returnConnection(SmtpConnection connection, long now) {
    boolean old =
        connection.transactions() >= MAX_TRANSACTIONS || connection.age().compareTo(MAX_AGE) > 0;
    if (old || !connection.isUsable()) {
      connection.quit();
      return;
    }
    synchronized (this) {
      idle.addFirst(new IdleConnection(connection, now));
    }
  }

  /** Removes the connections that were idle for too long; all of them when {@code all}. */
  synchronized List<SmtpConnection> removeExpired(long now, boolean all) {
    List<SmtpConnection> expired = new ArrayList<>();
    for (Iterator<IdleConnection> i = idle.iterator(); i.hasNext(); ) {
      IdleConnection candidate = i.next();
      if (!all && now - candidate.since < MAX_IDLE.toNanos()) continue;
      expired.add(candidate.connection);
      i.remove();
    }
    return expired;
  }

  /** Returns whether no attempt uses the limiter, and it holds nothing worth keeping. */
  synchronized boolean isUnused(long now, Duration unused) {
    return running == 0
        && idle.isEmpty()
        && now - circuitOpenUntil >= 0
        && (slow == null || now - slowUntil >= 0)
        && now - lastUsed > unused.toNanos();
  }

  synchronized DestinationStats stats(String name, long now) {
    long closedFor = Math.max(0, circuitOpenUntil - now);
    return new DestinationStats(name, running, window, idle.size(), Duration.ofNanos(closedFor));
  }

  /** A rate with bursts. Guarded by the limiter. */
  private static final class TokenBucket {
    private final RateLimit limit;
    private double tokens;
    private long filled;

    TokenBucket(RateLimit limit, long now) {
      this.limit = limit;
      this.tokens = limit.burst();
      this.filled = now;
    }

    /** Takes a token if there is one. */
    boolean take(long now) {
      tokens = Math.min(limit.burst(), tokens + (now - filled) / 1e9 * limit.perSecond());
      filled = now;
      if (tokens < 1) return false;
      tokens--;
      return true;
    }

    void giveBack() {
      tokens = Math.min(limit.burst(), tokens + 1);
    }

    long nanosUntilNext() {
      return (long) Math.ceil((1 - tokens) / limit.perSecond() * 1e9);
    }
  }
}
