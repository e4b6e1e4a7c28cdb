package org.quorumail.replication;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.client.RaftClientRpc;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftPeer;

/** The client side that all groups of a node share: one client id, one sequence of calls. */
final class RaftClientContext implements Closeable {
  private final ClientId clientId;
  private final RaftClientRpc rpc;
  private final ScheduledExecutorService timer;
  private final AtomicLong calls = new AtomicLong();

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

  @Override
  public void close() throws IOException {
    rpc.close();
  }
}
