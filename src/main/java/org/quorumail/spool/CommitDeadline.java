package org.quorumail.spool;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.ReplicatedLog;

/**
 * The deadline of one commit. Without a quorum the client gets 451 soon. A quorum that is only slow
 * is waited for, as RFC 5321 §4.5.3.2.6 expects: a 451 would make the client send again a message
 * that is about to be committed.
 */
final class CommitDeadline {
  /** The client gets 451 within three seconds. */
  static final Duration WITHOUT_QUORUM = Duration.ofMillis(2_500);

  /** A disk that is slower than this is broken. */
  static final Duration WITH_QUORUM = Duration.ofSeconds(30);

  private static final long RECHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final ReplicatedLog log;
  private final long withoutQuorumNanos;
  private final long withQuorumNanos;

  CommitDeadline(ReplicatedLog log) {
    long now = System.nanoTime();
    this.log = log;
    withoutQuorumNanos = now + WITHOUT_QUORUM.toNanos();
    withQuorumNanos = now + WITH_QUORUM.toNanos();
  }

  /** The timeout of one entry that is appended now. */
  static Duration entryTimeout(ReplicatedLog log) {
    return hasQuorum(log) ? WITH_QUORUM : WITHOUT_QUORUM;
  }

  /** The deadline as it is now, in the time of {@link System#nanoTime}. */
  long currentNanos() {
    return hasQuorum(log) ? withQuorumNanos : withoutQuorumNanos;
  }

  <T> T await(CompletableFuture<T> answer)
      throws ExecutionException, TimeoutException, InterruptedException {
    while (true) {
      long left = remainingNanos(System.nanoTime());
      if (left <= 0 && !answer.isDone()) throw new TimeoutException("no answer in time");
      try {
        return answer.get(Math.max(0, left), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        // check again whether there is a quorum to wait for
      }
    }
  }

  boolean acquire(Semaphore permits, int n) throws InterruptedException {
    while (true) {
      long left = remainingNanos(System.nanoTime());
      if (permits.tryAcquire(n, Math.max(0, left), TimeUnit.NANOSECONDS)) return true;
      if (left <= 0) return false;
    }
  }

  /**
   * Whether this node leads the group and a quorum has answered it a moment ago, or follows a
   * leader. Leaders change in the middle of a commit when a spool moves in order: the entry is in
   * the log of both, and the next one answers.
   */
  private static boolean hasQuorum(ReplicatedLog log) {
    return log.leadership().map(Leadership::hasQuorum).orElseGet(log::isFollowing);
  }

  private long remainingNanos(long now) {
    if (withoutQuorumNanos - now > 0) return withoutQuorumNanos - now;
    return hasQuorum(log) ? Math.min(RECHECK_NANOS, withQuorumNanos - now) : 0;
  }
}
