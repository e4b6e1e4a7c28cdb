package org.quorumail.gossip.net;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.PlumtreeConfig;
import org.quorumail.gossip.PlumtreeMessage;
import org.quorumail.gossip.PlumtreeMeter;
import org.quorumail.gossip.SendQueue;
import org.quorumail.gossip.net.Transport.Peer;

/**
 * The overlay's links as connections: one is kept to each neighbour, and when it breaks the core
 * hears of it at once. Used by the gossip thread.
 *
 * <p>Little goes as datagrams: a lost one costs one repetition by the core, where a stream would
 * hold back everything behind it. Much would fill a network that datagrams know nothing of (RFC
 * 8085, 3.1): what is beyond {@link Transport#datagramBudget}, or longer than a datagram, waits by
 * class for the stream.
 */
final class Neighbours {
  private static final long WINDOW_MILLIS = 100;

  private final Transport transport;
  private final Outbox outbox;
  private final MemberBook book;
  private final BroadcastFormat format;
  private final PlumtreeConfig config;
  private final PlumtreeMeter meter;
  private final Map<NodeId, Link> links = new HashMap<>();

  /** One neighbour; the window is the one in which it last got datagrams. */
  private static final class Link {
    private final Peer peer;
    private final NeighbourQueue queue;
    private long windowEnds;
    private int sentInWindow;

    Link(Peer peer, NeighbourQueue queue) {
      this.peer = peer;
      this.queue = queue;
    }

    boolean mayBeDatagram(int bytes, int budget, long now) {
      if (now >= windowEnds) {
        windowEnds = now + WINDOW_MILLIS;
        sentInWindow = 0;
      }
      if (sentInWindow + bytes > budget) return false;
      sentInWindow += bytes;
      return true;
    }
  }

  Neighbours(
      Transport transport,
      Outbox outbox,
      MemberBook book,
      BroadcastFormat format,
      PlumtreeConfig config,
      PlumtreeMeter meter) {
    this.transport = transport;
    this.outbox = outbox;
    this.book = book;
    this.format = format;
    this.config = config;
    this.meter = meter;
  }

  void added(NodeId id) {
    Peer peer = book.peer(id).orElse(null);
    if (peer == null) return; // it has gone meanwhile; the core hears of that too
    removed(id);
    SendQueue queue = new SendQueue(config.priority(), config.peerByteBudget(), meter);
    Link link = new Link(peer, new NeighbourQueue(queue, format));
    links.put(id, link);
    transport.keep(peer, link.queue);
  }

  /**
   * The connection to a neighbour that has another address now: to there. What waited for the old
   * one was not acknowledged and is announced.
   */
  void moved(NodeId id) {
    Link link = links.get(id);
    Peer peer = book.peer(id).orElse(null);
    if (link != null && peer != null && !peer.equals(link.peer)) added(id);
  }

  void removed(NodeId id) {
    Link link = links.remove(id);
    if (link != null) transport.release(link.peer);
  }

  /**
   * @param now milliseconds
   */
  void send(NodeId to, PlumtreeMessage message, long now) {
    Link link = links.get(to);
    byte[] bytes = format.write(message);
    if (link == null) sendToOther(to, bytes);
    else if (fitsDatagram(bytes) && link.mayBeDatagram(bytes.length, budget(), now)) {
      outbox.add(link.peer, bytes);
    } else link.queue.add(message);
  }

  /** To one that is no neighbour: a comparison of what was seen, a refusal. */
  private void sendToOther(NodeId to, byte[] bytes) {
    @Nullable Peer peer = book.peer(to).orElse(null);
    if (peer != null) outbox.add(peer, bytes);
  }

  private boolean fitsDatagram(byte[] bytes) {
    return bytes.length + Body.PER_MESSAGE <= transport.datagramCapacity();
  }

  private int budget() {
    return transport.datagramBudget();
  }
}
