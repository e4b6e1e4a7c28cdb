package org.quorumail.replication;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.exceptions.AlreadyClosedException;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.apache.ratis.util.JavaUtils;
import org.jspecify.annotations.Nullable;

/**
 * An append in progress: it is sent to leader after leader under one call id until it is answered.
 * An attempt that a leader holds is waited for until the timeout of the caller. Another attempt is
 * made only while every leader still remembers the first one: later it could append the entry
 * twice.
 */
final class PendingAppend {
  /** The pause between attempts; an election takes some hundred milliseconds. */
  private static final Duration RETRY_PAUSE = Duration.ofMillis(40);

  /** The margin is for an attempt that is under way when the leader forgets the first one. */
  static final Duration REPEATS_MAX = Duration.ofSeconds(PinnedProperties.RETRY_CACHE_SECONDS - 5);

  private final RatisLog log;
  private final ScheduledExecutorService timer;
  private final long callId;
  private final Message entry;
  private final CompletableFuture<ReplicatedLog.AppendResult> result = new CompletableFuture<>();
  private final ScheduledFuture<?> deadline;

  private final int size;
  private final LongSupplier nanoTime;
  private final long started;

  private final AtomicInteger attempts = new AtomicInteger();

  /** The last reason of a member; that a stream is closed follows from one before. */
  private volatile String lastFailure = "no member has answered";

  PendingAppend(
      RatisLog log,
      ScheduledExecutorService timer,
      long callId,
      byte[] entry,
      Duration timeout,
      LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.started = nanoTime.getAsLong();
    this.log = log;
    this.timer = timer;
    this.callId = callId;
    this.size = entry.length;
    this.entry = Message.valueOf(UnsafeByteOperations.unsafeWrap(entry));
    this.deadline = timer.schedule(() -> timeOut(timeout), timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  CompletableFuture<ReplicatedLog.AppendResult> result() {
    return result;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // ends in the answer
  void send() {
    if (result.isDone()) return;
    if (attempts.get() > 0 && elapsed() >= REPEATS_MAX.toNanos()) {
      fail(
          "not repeated after %d s, %d attempts, last: %s"
              .formatted(REPEATS_MAX.toSeconds(), attempts.get(), lastFailure),
          null);
      return;
    }
    attempts.incrementAndGet();
    log.attempt(callId, entry)
        .whenComplete(
            (reply, failure) -> {
              if (failure != null) retryLater(JavaUtils.unwrapCompletionException(failure));
              else received(reply);
            });
  }

  private void received(RaftClientReply reply) {
    if (reply.isSuccess()) {
      log.callAnswered(callId, elapsed());
      succeed(reply);
      return;
    }
    switch (reply.getException()) {
      case StateMachineException broken -> fail("the leader's state is broken", broken);
      case null -> retryLater(new IllegalStateException("a reply without success or reason"));
      case Exception other -> retryLater(other);
    }
  }

  private void succeed(RaftClientReply reply) {
    deadline.cancel(false);
    Optional<String> refusal = AppendReplyFormat.refusal(reply);
    if (refusal.isPresent()) {
      fail("the leader refused the entry: " + refusal.get(), null);
      return;
    }
    AppendReplyFormat.decode(reply)
        .ifPresentOrElse(
            appended -> finish(result.complete(appended)),
            () -> fail("the entry was applied before a restart; its answer is lost", null));
  }

  @SuppressWarnings("FutureReturnValueIgnored") // ends in the answer
  private void retryLater(Throwable trouble) {
    if (result.isDone()) return;
    if (trouble instanceof NotLeaderException notLeader)
      log.redirect(notLeader.getSuggestedLeader());
    if (!(trouble instanceof AlreadyClosedException))
      lastFailure = String.valueOf(trouble.getMessage());
    try {
      timer.schedule(this::send, RETRY_PAUSE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      fail("this node is stopping", e);
    }
  }

  private void timeOut(Duration timeout) {
    fail(
        "no quorum within %d ms, %d attempts, last: %s"
            .formatted(timeout.toMillis(), attempts.get(), lastFailure),
        null);
  }

  private void fail(String reason, @Nullable Throwable cause) {
    deadline.cancel(false);
    finish(
        result.completeExceptionally(
            new NoQuorumException("group " + log.name() + ": " + reason, cause)));
  }

  private long elapsed() {
    return nanoTime.getAsLong() - started;
  }

  private void finish(boolean first) {
    if (first) log.appendEnded(size);
  }
}
