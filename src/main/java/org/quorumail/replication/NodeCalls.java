package org.quorumail.replication;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.TimeoutIOException;
import org.apache.ratis.server.raftlog.RaftLog;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls from node to node, which enter no log: the node that is called answers, and no other. A
 * call travels as a stale read of a group that is open on the called node. Ratis serves a stale
 * read on every member, be it leader, follower or listener, with or without a quorum. A listener
 * serves none between its joining and its next start.
 *
 * <p>Calls have connections of their own: a call that fails breaks no append.
 */
final class NodeCalls implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeCalls.class);

  /** The most calls that this node makes at once: some operators, each calling all nodes. */
  static final int MADE_MAX = 256;

  /** The most requests that are answered at once; each may hold a reply in memory. */
  static final int ANSWERED_MAX = 16;

  /** The most requests that are here at once, with those that wait. */
  static final int RECEIVED_MAX = 128;

  /** The longest timeout of a call. */
  static final Duration TIMEOUT_MAX = Duration.ofSeconds(30);

  private final RaftClientContext client;
  private final Semaphore made = new Semaphore(MADE_MAX);
  private final Semaphore received = new Semaphore(RECEIVED_MAX);
  private final Semaphore answered = new Semaphore(ANSWERED_MAX, true);
  private volatile @Nullable CallHandler handler;

  /**
   * @param client used by calls alone
   */
  NodeCalls(RaftClientContext client) {
    this.client = client;
  }

  void answerWith(CallHandler newHandler) {
    handler = newHandler;
  }

  /** Drops the connection to a node that has another address now. */
  void reconnect(RaftPeerId peer, IOException reason) {
    client.rpc().handleException(peer, reason, true);
  }

  /** Makes a call; see {@link RaftNode#call}. */
  byte[] call(RaftGroupId group, RaftPeer peer, byte[] request, Duration timeout)
      throws CallFailedException, InterruptedException {
    Message message = CallFormat.request(request);
    if (timeout.compareTo(TIMEOUT_MAX) > 0)
      throw new IllegalArgumentException("a call takes at most " + TIMEOUT_MAX);
    long until = System.nanoTime() + timeout.toNanos();
    if (!made.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS))
      throw new CallFailedException("is not called: too many calls are in progress");
    try {
      client.add(List.of(peer));
      long millis = Math.max(1, (until - System.nanoTime()) / 1_000_000);
      return send(stale(group, peer, message, millis), peer);
    } finally {
      made.release();
    }
  }

  private byte[] send(RaftClientRequest request, RaftPeer peer)
      throws CallFailedException, InterruptedException {
    try {
      RaftClientReply reply = client.rpc().sendRequest(request);
      if (!reply.isSuccess()) throw new IOException(reply.getException());
      return CallFormat.replyContent(reply.getMessage());
    } catch (InterruptedIOException e) {
      if (Thread.interrupted()) throw new InterruptedException();
      throw failed(peer, e);
    } catch (IOException | RuntimeException e) {
      throw failed(peer, e);
    }
  }

  /** Without another connection, gRPC would not try the node again for up to two minutes. */
  private CallFailedException failed(RaftPeer peer, Exception cause) {
    client.reconnect(peer.getId(), cause);
    boolean late = cause instanceof TimeoutIOException;
    LOG.debug("event=node_call_failed peer={} reason=\"{}\"", peer.getId(), cause.getMessage());
    return new CallFailedException(late ? "does not answer in time" : "does not answer", cause);
  }

  private RaftClientRequest stale(
      RaftGroupId group, RaftPeer peer, Message message, long timeoutMillis) {
    return RaftClientRequest.newBuilder()
        .setClientId(client.clientId())
        .setServerId(peer.getId())
        .setGroupId(group)
        .setCallId(client.nextCallId())
        .setMessage(message)
        .setType(RaftClientRequest.staleReadRequestType(RaftLog.INVALID_LOG_INDEX))
        .setTimeoutMs(timeoutMillis)
        .build();
  }

  /** Answers a call on a thread of its own. The future never fails. */
  CompletableFuture<Message> answer(Message message) {
    Optional<byte[]> request = CallFormat.requestContent(message);
    if (request.isEmpty()) return refuse("it cannot read the request");
    CallHandler present = handler;
    if (present == null) return refuse("it is starting");
    if (!received.tryAcquire()) return refuse("it has too many calls to answer");
    CompletableFuture<Message> reply = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("node-call")
        .start(
            () -> {
              try {
                reply.complete(run(present, request.get()));
              } finally {
                received.release();
              }
            });
    return reply;
  }

  private static CompletableFuture<Message> refuse(String reason) {
    return CompletableFuture.completedFuture(CallFormat.refusal(reason));
  }

  private Message run(CallHandler present, byte[] request) {
    answered.acquireUninterruptibly();
    try {
      return CallFormat.reply(present.answer(request));
    } catch (Exception | StackOverflowError | AssertionError e) {
      LOG.warn("event=node_call_not_answered bytes={}", request.length, e);
      return CallFormat.refusal("its log has the reason");
    } finally {
      answered.release();
    }
  }

  @Override
  public void close() throws IOException {
    client.close();
  }
}
