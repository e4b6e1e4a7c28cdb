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
 * The overlay's links as connections: one is kept to each neighbour, and when it breaks the core
 * hears of it at once. Used by the gossip thread.
 *
 * <p>Little goes as datagrams: a lost one costs one repetition by the core, where a stream would
 * hold back everything behind it. Much would fill a network that datagrams know nothing of (RFC
 * 8085, 3.1): what is beyond {@link Transport#datagramBudget}, or longer than a datagram, waits by
 * class for the stream.
 */
final class NeighbourConnections {
  private static final long WINDOW_MILLIS = 100;

  private final Transport transport;
  private final DatagramBatcher outbox;
  private final MemberDirectory members;
  private final BroadcastFormat format;
  private final PlumtreeConfig config;
  private final PlumtreeMeter meter;
  private final Map<NodeId, NeighbourConnection> neighbours = new HashMap<>();

  /** One neighbour; the window is the one in which it last got datagrams. */
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
      DatagramBatcher outbox,
      MemberDirectory book,
      BroadcastFormat format,
      PlumtreeConfig config,
      PlumtreeMeter meter) {
    this.transport = transport;
    this.outbox = outbox;
    this.members = book;
    this.format = format;
    this.config = config;
    this.meter = meter;
  }

  void connect(NodeId id) {
    PeerAddress peer = members.peer(id).orElse(null);
    if (peer == null) return; // it has gone meanwhile; the core hears of that too
    disconnect(id);
    SendQueue queue = new SendQueue(config.priority(), config.peerByteBudget(), meter);
    NeighbourConnection link = new NeighbourConnection(peer, new NeighbourQueue(queue, format));
    neighbours.put(id, link);
    transport.connect(peer, link.queue);
  }

  /**
   * The connection to a neighbour that has another address now: to there. What waited for the old
   * one was not acknowledged and is announced.
   */
  void reconnectIfMoved(NodeId id) {
    NeighbourConnection link = neighbours.get(id);
    PeerAddress peer = members.peer(id).orElse(null);
    if (link != null && peer != null && !peer.equals(link.peer)) connect(id);
  }

  void disconnect(NodeId id) {
    NeighbourConnection link = neighbours.remove(id);
    if (link != null) transport.disconnect(link.peer);
  }

  /**
   * @param now milliseconds
   */
  void send(NodeId to, PlumtreeMessage message, long now) {
    NeighbourConnection link = neighbours.get(to);
    byte[] bytes = format.encode(message);
    if (link == null) sendToNonNeighbour(to, bytes);
    else if (fitsDatagram(bytes) && link.takeDatagramBudget(bytes.length, budget(), now)) {
      outbox.add(link.peer, bytes);
    } else link.queue.add(message);
  }

  /** To one that is no neighbour: a comparison of what was seen, a refusal. */
  private void sendToNonNeighbour(NodeId to, byte[] bytes) {
    @Nullable PeerAddress peer = members.peer(to).orElse(null);
    if (peer != null) outbox.add(peer, bytes);
  }

  private boolean fitsDatagram(byte[] bytes) {
    return bytes.length + FrameBody.MESSAGE_OVERHEAD <= transport.datagramCapacity();
  }

  private int budget() {
    return transport.datagramBudget();
  }
}
