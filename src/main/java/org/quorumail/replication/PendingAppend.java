package org.quorumail.replication;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.StateMachineException;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.jspecify.annotations.Nullable;

/** One append on its way: sent to leader after leader under one call id until it is answered. */
final class PendingAppend {
  /** Between attempts; an election takes some hundred milliseconds. */
  private static final Duration PAUSE = Duration.ofMillis(40);

  private final GroupLog log;
  private final ScheduledExecutorService timer;
  private final long callId;
  private final Message entry;
  private final CompletableFuture<ReplicatedLog.Appended> answer = new CompletableFuture<>();
  private final ScheduledFuture<?> deadline;

  private final int size;
  private final long started = System.nanoTime();

  private volatile String lastTrouble = "no member has answered";

  PendingAppend(
      GroupLog log, ScheduledExecutorService timer, long callId, byte[] entry, Duration patience) {
    this.log = log;
    this.timer = timer;
    this.callId = callId;
    this.size = entry.length;
    this.entry = Message.valueOf(UnsafeByteOperations.unsafeWrap(entry));
    this.deadline =
        timer.schedule(() -> giveUp(patience), patience.toNanos(), TimeUnit.NANOSECONDS);
  }

  CompletableFuture<ReplicatedLog.Appended> answer() {
    return answer;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // ends in the answer
  void send() {
    if (answer.isDone()) return;

    log.attempt(callId, entry)
        .whenComplete(
            (reply, failure) -> {
              if (failure != null) again(failure);
              else received(reply);
            });
  }

  private void received(RaftClientReply reply) {
    if (reply.isSuccess()) {
      log.answered(callId, System.nanoTime() - started);
      succeed(reply);
      return;
    }
    switch (reply.getException()) {
      case NotLeaderException notLeader -> {
        log.redirect(notLeader.getSuggestedLeader());
        again(notLeader);
      }
      case StateMachineException refused -> fail("the leader could not apply the entry", refused);
      case null -> again(new IllegalStateException("a reply without success or reason"));
      case Exception other -> again(other);
    }
  }

  private void succeed(RaftClientReply reply) {
    deadline.cancel(false);
    AppendReply.read(reply)
        .ifPresentOrElse(
            appended -> settle(answer.complete(appended)),
            () -> fail("the entry was applied before a restart; its answer is lost", null));
  }

  @SuppressWarnings("FutureReturnValueIgnored") // ends in the answer
  private void again(Throwable trouble) {
    if (answer.isDone()) return;
    lastTrouble = String.valueOf(trouble.getMessage());
    try {
      timer.schedule(this::send, PAUSE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      fail("this node is stopping", e);
    }
  }

  private void giveUp(Duration patience) {
    fail("no quorum within " + patience.toMillis() + " ms, last: " + lastTrouble, null);
  }

  private void fail(String reason, @Nullable Throwable cause) {
    deadline.cancel(false);
    settle(
        answer.completeExceptionally(
            new NoQuorumException("group " + log.name() + ": " + reason, cause)));
  }

  private void settle(boolean first) {
    if (first) log.settled(size);
  }
}
