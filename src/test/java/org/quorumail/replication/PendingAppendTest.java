package org.quorumail.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.ratis.client.RaftClientRpc;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The waits and repetitions of an append, by a clock that the test moves. */
@Timeout(30)
class PendingAppendTest {
  private static final RaftGroupId GROUP = new GroupSpec("one", List.of()).groupId("test");

  private final List<RaftPeer> peers =
      Stream.of("n1", "n2", "n3").map(PendingAppendTest::peer).toList();
  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private final ScriptedLeader leader = new ScriptedLeader();
  private final RaftClientContext context =
      new RaftClientContext(ClientId.randomId(), leader, timer);
  private final AtomicLong now = new AtomicLong(7);

  PendingAppendTest() {
    timer.setRemoveOnCancelPolicy(true);
  }

  @AfterEach
  void close() {
    timer.shutdownNow();
  }

  @Test
  void aSlowQuorumIsWaitedForAsLongAsTheCallerAsks() {
    var result = log().append(new byte[1], Duration.ofSeconds(30));
    assertThat(timer.getQueue()).hasSize(1);
    var deadline = (Delayed) timer.getQueue().element();
    assertThat(deadline.getDelay(TimeUnit.SECONDS)).isBetween(25L, 30L);
    assertThat(result).isNotDone();
  }

  @Test
  void anAnswerAfterTheLastRepetitionCounts() throws Exception {
    var result = append(Duration.ofSeconds(30));
    Attempt first = leader.attempts.take();
    now.addAndGet(TimeUnit.SECONDS.toNanos(29));
    first.succeed();
    assertThat(result.get(10, TimeUnit.SECONDS).reply()).isEqualTo("done".getBytes(UTF_8));
  }

  @Test
  void aFailedAttemptIsRepeatedUnderOneCallIdUntilALeaderMayHaveForgottenIt() throws Exception {
    var result = append(Duration.ofSeconds(30));
    Attempt first = leader.attempts.take();
    now.addAndGet(PendingAppend.REPEATS_MAX.toNanos() - 1);
    first.fail(new IOException("lost"));
    Attempt second = leader.attempts.take();
    assertThat(second.request().getCallId()).isEqualTo(first.request().getCallId());
    now.addAndGet(1);
    second.fail(new IOException("lost"));
    await().atMost(10, TimeUnit.SECONDS).until(result::isDone);
    assertThat(leader.attempts).isEmpty();
    assertThat(result.exceptionNow())
        .isInstanceOf(NoQuorumException.class)
        .hasMessageContaining("not repeated after 15 s, 2 attempts, last: lost");
    assertThat(timer.getQueue()).isEmpty();
  }

  @Test
  void anAppendWithoutAnAnswerEndsAtItsTimeout() {
    var result = append(Duration.ofMillis(50));
    await().atMost(10, TimeUnit.SECONDS).until(result::isCompletedExceptionally);
    assertThat(result.exceptionNow())
        .isInstanceOf(NoQuorumException.class)
        .hasMessageContaining("no quorum within 50 ms, 1 attempts");
  }

  @Test
  void theLeaderThatAMemberNamesWhileItsStreamFailsIsAskedNext() throws Exception {
    append(Duration.ofSeconds(30));
    Attempt attempt = leader.attempts.take();
    for (RaftPeer named : List.of(peers.get(2), peers.get(0), peers.get(1), peers.get(2))) {
      var member = RaftGroupMemberId.valueOf(attempt.request().getServerId(), GROUP);
      attempt.fail(new NotLeaderException(member, named, peers));
      attempt = leader.attempts.take();
      assertThat(attempt.request().getServerId()).isEqualTo(named.getId());
    }
  }

  private static RaftPeer peer(String id) {
    return RaftPeer.newBuilder().setId(id).setAddress("127.0.0.1:7").build();
  }

  private CompletableFuture<ReplicatedLog.AppendResult> append(Duration timeout) {
    var append =
        new PendingAppend(log(), timer, context.nextCallId(), new byte[1], timeout, now::get);
    append.send();
    return append.result();
  }

  private RatisLog log() {
    var latency = new SimpleMeterRegistry().timer("test");
    return new RatisLog("one", GROUP, peers, context, latency, null);
  }

  private record Attempt(RaftClientRequest request, CompletableFuture<RaftClientReply> reply) {
    void succeed() {
      var message = AppendReplyFormat.encode(new LogPosition(1, 2), "done".getBytes(UTF_8));
      reply.complete(
          RaftClientReply.newBuilder()
              .setRequest(request)
              .setSuccess()
              .setLogIndex(2)
              .setMessage(message)
              .build());
    }

    void fail(Exception reason) {
      reply.completeExceptionally(reason);
    }
  }

  /** A leader that answers when the test lets it. */
  private static final class ScriptedLeader implements RaftClientRpc {
    private final BlockingQueue<Attempt> attempts = new LinkedBlockingQueue<>();

    @Override
    public CompletableFuture<RaftClientReply> sendRequestAsyncUnordered(RaftClientRequest request) {
      Attempt attempt = new Attempt(request, new CompletableFuture<>());
      attempts.add(attempt);
      return attempt.reply();
    }

    @Override
    public RaftClientReply sendRequest(RaftClientRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void addRaftPeers(Collection<RaftPeer> peers) {}

    @Override
    public void close() {}
  }
}
