package org.quorumail.replication;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.client.RaftClientRpc;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.exceptions.LeaderNotReadyException;
import org.apache.ratis.protocol.exceptions.NotLeaderException;

/** The client side that all groups of a node share: one client id, one sequence of calls. */
final class RaftClientContext implements Closeable {
  /** The least time between two reconnections to a member; bounds the threads that close. */
  private static final Duration RECONNECT_PAUSE = Duration.ofMillis(100);

  private final ClientId clientId;
  private final RaftClientRpc rpc;
  private final ScheduledExecutorService timer;
  private final AtomicLong calls = new AtomicLong();
  private final Map<RaftPeerId, Long> reconnected = new ConcurrentHashMap<>();

  RaftClientContext(ClientId clientId, RaftClientRpc rpc, ScheduledExecutorService timer) {
    this.clientId = clientId;
    this.rpc = rpc;
    this.timer = timer;
  }

  /**
   * The client id is random, hence new after each start: a call id is unique only in the life of a
   * process.
   */
  ClientId clientId() {
    return clientId;
  }

  long nextCallId() {
    return calls.incrementAndGet();
  }

  RaftClientRpc rpc() {
    return rpc;
  }

  ScheduledExecutorService timer() {
    return timer;
  }

  void add(List<RaftPeer> peers) {
    rpc.addRaftPeers(peers);
  }

  /**
   * Drops the connection to a member and makes another when the next call needs it. Closing waits
   * up to five seconds for the other side, so it has a thread of its own: the timer's would hold up
   * the retries of all groups. Calls that fail together cause one reconnection.
   */
  void reconnect(RaftPeerId member, Throwable failure) {
    long now = System.nanoTime();
    Long last = reconnected.get(member);
    if (last != null && now - last < RECONNECT_PAUSE.toNanos()) return;
    reconnected.put(member, now);
    boolean streamClosed =
        failure instanceof LeaderNotReadyException || failure instanceof NotLeaderException;
    Thread.ofPlatform()
        .daemon()
        .name("raft-reconnect-" + member)
        .start(() -> rpc.handleException(member, failure, streamClosed));
  }

  @Override
  public void close() throws IOException {
    rpc.close();
  }
}
