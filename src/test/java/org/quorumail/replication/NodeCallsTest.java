package org.quorumail.replication;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.quorumail.replication.TestRaftCluster.GROUP;
import static org.quorumail.replication.TestRaftCluster.TIMEOUT;
import static org.quorumail.replication.TestRaftCluster.append;

import io.helidon.common.SerializationConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.ratis.client.ClientFactory;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.replication.TestRaftCluster.TestNode;

/** Nodes with mutual TLS call each other. */
@Timeout(60)
@Execution(ExecutionMode.CONCURRENT)
class NodeCallsTest {
  private static final byte[] HELLO = "hello".getBytes(UTF_8);

  @TempDir Path directory;

  /** As in every node: no Java object from the wire is read. */
  @BeforeAll
  static void noJavaObjectIsRead() {
    SerializationConfig.configureRuntime();
  }

  private TestRaftCluster three() throws Exception {
    TestRaftCluster cluster = new TestRaftCluster(directory, "n1", "n2", "n3").start();
    cluster.nodes().forEach(NodeCallsTest::answer);
    return cluster;
  }

  /** Lets a node answer with its name and the request. */
  private static void answer(TestNode node) {
    node.raft().answerCalls(request -> (node.id() + " " + text(request)).getBytes(UTF_8));
  }

  private static String text(byte[] bytes) {
    return new String(bytes, UTF_8);
  }

  private static String call(TestRaftCluster cluster, TestNode from, String to) throws Exception {
    return text(from.raft().call(GROUP, cluster.peer(to), HELLO, TIMEOUT));
  }

  @Test
  void theCalledNodeAnswersBeItLeaderOrFollowerOrListener() throws Exception {
    try (TestRaftCluster cluster = three()) {
      cluster.join("n4");
      TestNode leader = cluster.leader();
      List<RaftMember> voters = leader.raft().members(GROUP);
      List<RaftMember> listener = List.of(cluster.peer("n4"));
      assertThat(leader.raft().setMembers(GROUP, voters, listener)).succeedsWithin(TIMEOUT);
      append(leader, "a");
      // Ratis lets a listener serve reads from its next start on
      cluster.stop("n4");
      answer(cluster.start("n4"));
      for (TestNode from : cluster.nodes())
        for (String to : List.of("n1", "n2", "n3", "n4"))
          assertThat(call(cluster, from, to)).isEqualTo(to + " hello");
      assertThat(call(cluster, cluster.outside(), "n2")).isEqualTo("n2 hello");
    }
  }

  @Test
  void aNodeWithoutAQuorumAnswers() throws Exception {
    try (TestRaftCluster cluster = three()) {
      cluster.stop("n3");
      TestNode last = cluster.node("n1");
      cluster.stop("n2");
      await().atMost(20, TimeUnit.SECONDS).until(() -> !last.isLeader());
      assertThat(call(cluster, cluster.outside(), "n1")).isEqualTo("n1 hello");
    }
  }

  @Test
  void aNodeThatIsGoneFailsAtOnceAndAnswersAgainWhenItIsBack() throws Exception {
    try (TestRaftCluster cluster = three()) {
      TestNode caller = cluster.node("n1");
      assertThat(call(cluster, caller, "n3")).isEqualTo("n3 hello");
      cluster.stop("n3");
      for (int i = 0; i < 8; i++) {
        long started = System.nanoTime();
        assertThatThrownBy(() -> call(cluster, caller, "n3"))
            .isInstanceOf(CallFailedException.class)
            .hasMessage("does not answer");
        assertThat(System.nanoTime() - started).isLessThan(TIMEOUT.toNanos() / 2);
      }
      answer(cluster.start("n3"));
      await()
          .atMost(Duration.ofSeconds(10))
          .ignoreExceptionsInstanceOf(CallFailedException.class)
          .until(() -> call(cluster, caller, "n3").equals("n3 hello"));
    }
  }

  @Test
  void aFailedCallIsDataAndBreaksNoAppend() throws Exception {
    try (TestRaftCluster cluster = three()) {
      TestNode leader = cluster.leader();
      TestNode caller = cluster.follower();
      RaftMember peer = cluster.peer(leader.id());
      var pending = TestRaftCluster.later(caller, "a", TIMEOUT);
      leader
          .raft()
          .answerCalls(
              request -> {
                throw new IllegalStateException("/secret/path");
              });
      assertThatThrownBy(() -> caller.raft().call(GROUP, peer, HELLO, TIMEOUT))
          .isExactlyInstanceOf(CallFailedException.class)
          .hasMessage("refuses: its log has the reason");
      leader.raft().answerCalls(request -> new byte[CallFormat.REPLY_BYTES_MAX + 1]);
      assertThatThrownBy(() -> caller.raft().call(GROUP, peer, HELLO, TIMEOUT))
          .isInstanceOf(CallFailedException.ReplyTooLong.class);
      leader.raft().answerCalls(request -> new byte[CallFormat.REPLY_BYTES_MAX]);
      assertThat(caller.raft().call(GROUP, peer, HELLO, TIMEOUT))
          .hasSize(CallFormat.REPLY_BYTES_MAX);
      assertThat(text(pending.get(20, TimeUnit.SECONDS).reply())).isEqualTo("1");
      assertThat(append(caller, "a")).isEqualTo("2");
      assertThat(cluster.fatal).isEmpty();
    }
  }

  @Test
  void aHandlerThatHangsCostsTheTimeoutAndOthersAreAnswered() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    try (TestRaftCluster cluster = three()) {
      cluster
          .node("n2")
          .raft()
          .answerCalls(
              request -> {
                if (text(request).equals("wait")) end.await();
                return request;
              });
      RaftNode caller = cluster.node("n1").raft();
      RaftMember peer = cluster.peer("n2");
      long started = System.nanoTime();
      assertThatThrownBy(
              () -> caller.call(GROUP, peer, "wait".getBytes(UTF_8), Duration.ofMillis(300)))
          .isInstanceOf(CallFailedException.class)
          .hasMessage("does not answer in time");
      assertThat(System.nanoTime() - started).isBetween(300_000_000L, 5_000_000_000L);
      assertThat(text(caller.call(GROUP, peer, HELLO, TIMEOUT))).isEqualTo("hello");
    } finally {
      end.countDown();
    }
  }

  @Test
  void aNodeAnswersSomeCallsAtOnceAndRefusesThoseThatAreTooMany() throws Exception {
    NodeCalls calls = new NodeCalls(unused());
    CountDownLatch end = new CountDownLatch(1);
    AtomicInteger running = new AtomicInteger();
    calls.answerWith(
        request -> {
          running.incrementAndGet();
          end.await();
          return request;
        });
    List<Future<Message>> replies = new ArrayList<>();
    for (int i = 0; i < NodeCalls.RECEIVED_MAX; i++)
      replies.add(calls.answer(CallFormat.request(HELLO)));
    assertThat(refusal(calls, CallFormat.request(HELLO))).contains("too many calls");
    await().atMost(5, TimeUnit.SECONDS).until(() -> running.get() == NodeCalls.ANSWERED_MAX);
    end.countDown();
    for (Future<Message> reply : replies)
      assertThat(CallFormat.replyContent(reply.get(20, TimeUnit.SECONDS))).isEqualTo(HELLO);
    assertThat(running).hasValue(NodeCalls.RECEIVED_MAX);
    await()
        .atMost(5, TimeUnit.SECONDS)
        .untilAsserted(
            () ->
                assertThat(
                        CallFormat.replyContent(
                            calls.answer(CallFormat.request(HELLO)).get(5, TimeUnit.SECONDS)))
                    .isEqualTo(HELLO));
  }

  @Test
  void aRequestOfAnotherVersionOrTooLongIsRefusedAsDataAndSoIsOneBeforeTheStartHasEnded()
      throws Exception {
    NodeCalls calls = new NodeCalls(unused());
    assertThat(refusal(calls, CallFormat.request(HELLO))).contains("it is starting");
    calls.answerWith(request -> request);
    byte[] unknown = {CallFormat.VERSION + 1, 1, 2, 3};
    byte[] longer = new byte[2 + CallFormat.REQUEST_BYTES_MAX];
    longer[0] = CallFormat.VERSION;
    for (byte[] frame : List.of(unknown, longer, new byte[0]))
      assertThat(refusal(calls, Message.valueOf(ByteString.copyFrom(frame))))
          .contains("it cannot read the request");
    assertThatThrownBy(() -> CallFormat.request(new byte[1 + CallFormat.REQUEST_BYTES_MAX]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aReplyOfAnOlderOrLaterReleaseIsNone() {
    for (byte[] frame : List.of(new byte[0], new byte[] {CallFormat.VERSION + 1, 0, 7}))
      assertThatThrownBy(() -> CallFormat.replyContent(Message.valueOf(ByteString.copyFrom(frame))))
          .isInstanceOf(CallFailedException.class)
          .hasMessageContaining("release");
  }

  @Test
  void aNodeThatStandsAloneCallsNobody() throws Exception {
    RaftSettings alone = RaftSettings.standAlone("test", "n1", directory);
    try (RaftNode node = RaftNode.start(alone, new SimpleMeterRegistry(), failure -> {})) {
      RaftMember other = new RaftMember("n2", "127.0.0.1", 1);
      assertThatThrownBy(() -> node.call(GROUP, other, HELLO, TIMEOUT))
          .isInstanceOf(CallFailedException.class);
    }
  }

  /** A client that reaches nobody. */
  private static RaftClientContext unused() {
    var factory = (ClientFactory) new LocalRpc().newFactory(new Parameters());
    ClientId id = ClientId.randomId();
    return new RaftClientContext(
        id, factory.newRaftClientRpc(id, new RaftProperties()), new ScheduledThreadPoolExecutor(0));
  }

  private static String refusal(NodeCalls calls, Message request) throws Exception {
    Message reply = calls.answer(request).get(5, TimeUnit.SECONDS);
    try {
      CallFormat.replyContent(reply);
      return "";
    } catch (CallFailedException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
