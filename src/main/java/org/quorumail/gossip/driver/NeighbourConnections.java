package org.quorumail.gossip.driver;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.plumtree.PlumtreeMessage;
import org.quorumail.gossip.plumtree.PlumtreeMeter;
import org.quorumail.gossip.plumtree.SendQueue;
import org.quorumail.gossip.transport.FrameBody;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.Transport;

/**
 * The connections to the overlay's neighbours. Each neighbour has one, and the core learns at once
 * when it breaks. Used by the gossip thread.
 *
 * <p>Short bursts go as datagrams: the core repeats a lost one, while a stream would delay all
 * later messages. Datagrams have no congestion control (RFC 8085 §3.1), so their bytes are limited.
 * A message beyond {@link Transport#datagramBudget}, or longer than a datagram, waits by priority
 * for the stream.
 */
final class NeighbourConnections {
  private static final long WINDOW_MILLIS = 100;

  private final Transport transport;
  private final DatagramBatcher batcher;
  private final MemberDirectory members;
  private final BroadcastFormat format;
  private final PlumtreeConfig config;
  private final PlumtreeMeter meter;
  private final Map<NodeId, NeighbourConnection> neighbours = new HashMap<>();

  /** One neighbour, and the bytes of its datagrams in the current window. */
  private static final class NeighbourConnection {
    private final PeerAddress peer;
    private final NeighbourQueue queue;
    private long windowEnds;
    private int sentInWindow;

    NeighbourConnection(PeerAddress peer, NeighbourQueue queue) {
      this.peer = peer;
      this.queue = queue;
    }

    boolean takeDatagramBudget(int bytes, int budget, long now) {
      if (now >= windowEnds) {
        windowEnds = now + WINDOW_MILLIS;
        sentInWindow = 0;
      }
      if (sentInWindow + bytes > budget) return false;
      sentInWindow += bytes;
      return true;
    }
  }

  NeighbourConnections(
      Transport transport,
      DatagramBatcher batcher,
      MemberDirectory members,
      BroadcastFormat format,
      PlumtreeConfig config,
      PlumtreeMeter meter) {
    this.transport = transport;
    this.batcher = batcher;
    this.members = members;
    this.format = format;
    this.config = config;
    this.meter = meter;
  }

  void connect(NodeId id) {
    PeerAddress peer = members.peer(id).orElse(null);
    if (peer == null) return; // the node left meanwhile; the core is notified of that too
    disconnect(id);
    SendQueue queue = new SendQueue(config.priority(), config.peerByteBudget(), meter);
    NeighbourConnection neighbour =
        new NeighbourConnection(peer, new NeighbourQueue(queue, format));
    neighbours.put(id, neighbour);
    transport.connect(peer, neighbour.queue);
  }

  /**
   * Connects to a neighbour's new address, if it has moved. Messages that wait for the old one were
   * not acknowledged, so the core announces them again.
   */
  void reconnectIfMoved(NodeId id) {
    NeighbourConnection neighbour = neighbours.get(id);
    PeerAddress peer = members.peer(id).orElse(null);
    if (neighbour != null && peer != null && !peer.equals(neighbour.peer)) connect(id);
  }

  void disconnect(NodeId id) {
    NeighbourConnection neighbour = neighbours.remove(id);
    if (neighbour != null) transport.disconnect(neighbour.peer);
  }

  /**
   * Sends a message as a datagram, or enqueues it for the stream.
   *
   * @param now milliseconds
   */
  void send(NodeId to, PlumtreeMessage message, long now) {
    NeighbourConnection neighbour = neighbours.get(to);
    byte[] bytes = format.encode(message);
    if (neighbour == null) {
      sendToNonNeighbour(to, bytes);
    } else if (fitsDatagram(bytes) && neighbour.takeDatagramBudget(bytes.length, budget(), now)) {
      batcher.add(neighbour.peer, bytes);
    } else {
      neighbour.queue.add(message);
    }
  }

  /** Sends to a member that is not a neighbour, such as anti-entropy or a refused link. */
  private void sendToNonNeighbour(NodeId to, byte[] bytes) {
    @Nullable PeerAddress peer = members.peer(to).orElse(null);
    if (peer != null) batcher.add(peer, bytes);
  }

  private boolean fitsDatagram(byte[] bytes) {
    return bytes.length + FrameBody.MESSAGE_OVERHEAD <= transport.datagramCapacity();
  }

  private int budget() {
    return transport.datagramBudget();
  }
}
