package org.quorumail.gossip.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.PlumtreeMetric;
import org.quorumail.gossip.net.GossipSettings.Carrier;

/**
 * QUIC (RFC 9000) with mutual TLS: datagrams (RFC 9221) for probes, a stream for the rest of
 * membership and one for each class of broadcasts, on one connection per node. Everything is
 * encrypted and proven by the connection, so nothing is sealed again. A connection that says
 * something in another's name than its certificate has is closed.
 *
 * <p>A connection is kept while the other node is a neighbour, else until nothing was said for
 * {@link QuicConnection#IDLE}. What is for an address goes over the connection by which that
 * address was heard last; so a node that has restarted is answered on its new one at once.
 *
 * <p>Threads: one event loop, which owns everything that is not final here.
 */
final class QuicTransport implements Transport {
  /** For a handshake. */
  static final Duration PATIENCE = Duration.ofSeconds(3);

  /** Fits an Ethernet frame with IPv6 and a tunnel or two around it. */
  static final int UDP_PAYLOAD = 1_350;

  /** Flags, connection id, packet number, seal, the head of a DATAGRAM frame; with some room. */
  private static final int QUIC_OVERHEAD = 64;

  /** Each costs some KiB; the neighbours, and whoever was probed in the last seconds. */
  private static final int MAX_OPEN = 1_024;

  /** Those that have shown that they receive what is sent to them, and no certificate yet. */
  static final int MAX_UNPROVEN = 64;

  /** What other threads may have asked for; a second of a node that many others talk to. */
  private static final int MAX_POSTED = 8_192;

  private final Carrier.Quic identity;
  private final Compression compression;
  private final Receiver receiver;
  private final GossipMetrics metrics;
  private final QuicSockets sockets;
  private final Address self;
  private final AtomicInteger posted = new AtomicInteger();
  private final Map<Address, QuicConnection> routes = new HashMap<>();
  private final Set<QuicConnection> connections = new HashSet<>();
  private final SequencedSet<QuicConnection> unproven = new LinkedHashSet<>();
  private volatile QuicTls tls;
  private volatile boolean closed;

  private QuicTransport(
      KeyRing ring,
      Carrier.Quic identity,
      Compression compression,
      InetSocketAddress bind,
      InetAddress advertised,
      Receiver receiver,
      GossipMetrics metrics)
      throws IOException {
    this.identity = identity;
    this.compression = compression;
    this.receiver = receiver;
    this.metrics = metrics;
    this.tls = QuicTls.of(identity.key(), identity.trust(), ring);
    this.sockets =
        QuicSockets.bind(
            bind, () -> tls, () -> QuicConnection.answering(this), metrics, receiver::dropped);
    this.self = Datagrams.address(new InetSocketAddress(advertised, port()));
  }

  /**
   * @param bind port 0: any that is free, see {@link #port}
   * @param advertised where answers go; with the bound port
   * @throws IOException when the port is taken, or this platform has no QUIC
   */
  static QuicTransport bind(
      KeyRing ring,
      Carrier.Quic identity,
      Compression compression,
      InetSocketAddress bind,
      InetAddress advertised,
      Receiver receiver,
      GossipMetrics metrics)
      throws IOException {
    Optional<String> missing = Carrier.Quic.missing();
    if (missing.isPresent()) throw new IOException(missing.get());
    return new QuicTransport(ring, identity, compression, bind, advertised, receiver, metrics);
  }

  // ---- for the gossip thread

  @Override
  public int port() {
    return sockets.port();
  }

  @Override
  public int datagramCapacity() {
    return UDP_PAYLOAD - QUIC_OVERHEAD - QuicFormat.MAX_RETURN_ADDRESS - Body.OVERHEAD;
  }

  /** None: a stream per class loses nothing, and holds no other class back. */
  @Override
  public int datagramBudget() {
    return 0;
  }

  @Override
  public void send(Peer to, List<byte[]> messages) {
    byte[] body = body(messages);
    post(() -> route(to).ifPresent(connection -> connection.datagram(body)));
  }

  @Override
  public void sendReliably(Peer to, byte[] message) {
    byte[] body = body(List.of(message));
    boolean isPosted =
        post(
            () -> {
              boolean taken = route(to).map(c -> c.membership(body)).orElse(false);
              if (!taken) receiver.unreachable(to);
            });
    if (!isPosted) receiver.unreachable(to);
  }

  @Override
  public void keep(Peer neighbour, NeighbourQueue queue) {
    boolean isPosted =
        post(
            () ->
                route(neighbour)
                    .ifPresentOrElse(
                        c -> c.keepFor(neighbour, queue), () -> receiver.unreachable(neighbour)));
    if (!isPosted) receiver.unreachable(neighbour);
  }

  @Override
  public void release(Peer neighbour) {
    post(
        () -> {
          for (QuicConnection c : connections) {
            if (c.peer().filter(neighbour::equals).isPresent()) c.release();
          }
        });
  }

  @Override
  public void use(KeyRing ring) {
    tls = QuicTls.of(identity.key(), identity.trust(), ring);
  }

  @Override
  public void close() {
    closed = true;
    sockets.close(() -> List.copyOf(connections).forEach(QuicConnection::end));
  }

  // ---- for the connections

  Address self() {
    return self;
  }

  byte[] body(List<byte[]> messages) {
    return Body.write(messages, compression);
  }

  /** Has the event loop do it; false when it has too much to do already, or is closed. */
  boolean post(Runnable task) {
    if (closed) return false;
    if (posted.incrementAndGet() > MAX_POSTED) {
      posted.decrementAndGet();
      dropped(DropReason.QUEUE_FULL);
      return false;
    }
    try {
      sockets
          .loop()
          .execute(
              () -> {
                posted.decrementAndGet();
                task.run();
              });
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  void count(PlumtreeMetric counter) {
    metrics.count(counter, 1);
  }

  void dropped(DropReason reason) {
    receiver.dropped(reason);
  }

  /** The names that a certificate speaks for. */
  Set<String> names(X509Certificate certificate) {
    return identity.names().apply(certificate);
  }

  /** False when the connection must end. */
  boolean received(
      QuicConnection by, Address from, byte[] body, int maxInflated, boolean reliable) {
    // an address is only said: nobody takes over that of another who answers there
    QuicConnection known = routes.get(from);
    if (known == null || (known != by && known.givesWayTo(by))) routes.put(from, by);
    return receiver.body(from, Optional.of(by.names()), body, maxInflated, reliable);
  }

  /**
   * Whether there is room for one more that has not shown its certificate. Where only strangers
   * fill it, the eldest goes: a member shows it within two round trips, a stranger never.
   */
  boolean mayAnswer(QuicConnection connection) {
    boolean crowded = unproven.size() >= MAX_UNPROVEN;
    boolean full = connections.size() >= MAX_OPEN;
    if (crowded || full) dropped(DropReason.CONNECTIONS_FULL);
    if (full) return false;
    if (crowded) unproven.removeFirst().end();
    unproven.add(connection);
    return true;
  }

  void opened(QuicConnection connection) {
    unproven.remove(connection);
    connections.add(connection);
    gauge();
  }

  void ended(QuicConnection connection, boolean wasOpen) {
    boolean wasStranger = unproven.remove(connection);
    connections.remove(connection);
    routes.values().removeIf(c -> c == connection);
    gauge();
    if (closed) return;
    if (wasOpen) count(PlumtreeMetric.QUIC_DISCONNECTIONS);
    if (wasStranger || connection.wasRefused()) dropped(DropReason.NOT_PROVEN);
    connection
        .peer()
        .ifPresent(
            peer -> {
              if (connection.wasRefused() && connection.called()) receiver.refused(peer);
              if (connection.isMissed()) receiver.unreachable(peer);
            });
  }

  private void gauge() {
    metrics.gauge(PlumtreeMetric.QUIC_CONNECTIONS, connections.size());
  }

  /** The connection to this peer, called if there is none; empty when there are too many. */
  private Optional<QuicConnection> route(Peer to) {
    QuicConnection known = routes.get(to.address());
    if (known != null && !known.isEnded() && known.isFor(to)) return Optional.of(known);
    if (connections.size() >= MAX_OPEN) {
      dropped(DropReason.CONNECTIONS_FULL);
      return Optional.empty();
    }
    QuicConnection fresh = QuicConnection.calling(this, to);
    routes.put(to.address(), fresh);
    connections.add(fresh);
    sockets.call(fresh, to.address(), PATIENCE);
    return Optional.of(fresh);
  }
}
