package org.quorumail.gossip.transport;

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
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.driver.GossipMetrics;
import org.quorumail.gossip.driver.NeighbourQueue;
import org.quorumail.gossip.plumtree.PlumtreeMetric;

/**
 * QUIC (RFC 9000) with mutual TLS: datagrams (RFC 9221) for probes, a stream for the rest of
 * membership and one for each class of broadcasts, on one connection per node. Everything is
 * encrypted and proven by the connection, so nothing is sealed again. A connection that says
 * something in another's name than its certificate has is closed.
 *
 * <p>A connection is kept while the other node is a neighbour, else until nothing was said for
 * {@link QuicConnection#IDLE_TIMEOUT}. What is for an address goes over the connection by which
 * that address was heard last; so a node that has restarted is answered on its new one at once.
 *
 * <p>Threads: one event loop, which owns everything that is not final here.
 */
public final class QuicTransport implements Transport {
  /** For a handshake. */
  static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(3);

  /** Fits an Ethernet frame with IPv6 and a tunnel or two around it. */
  static final int MAX_UDP_PAYLOAD = 1_350;

  /** Flags, connection id, packet number, seal, the head of a DATAGRAM frame; with some room. */
  private static final int QUIC_OVERHEAD = 64;

  /** Each costs some KiB; the neighbours, and whoever was probed in the last seconds. */
  private static final int MAX_OPEN = 1_024;

  /** Those that have shown that they receive what is sent to them, and no certificate yet. */
  static final int MAX_UNAUTHENTICATED = 64;

  /** What other threads may have asked for; a second of a node that many others talk to. */
  private static final int MAX_PENDING_TASKS = 8_192;

  private final TransportSettings.Quic settings;
  private final Compression compression;
  private final Receiver receiver;
  private final GossipMetrics metrics;
  private final QuicEndpoint endpoint;
  private final NodeAddress self;
  private final AtomicInteger pendingTasks = new AtomicInteger();
  private final Map<NodeAddress, QuicConnection> routes = new HashMap<>();
  private final Set<QuicConnection> connections = new HashSet<>();
  private final SequencedSet<QuicConnection> unauthenticated = new LinkedHashSet<>();
  private volatile QuicTls tls;
  private volatile boolean closed;

  private QuicTransport(
      KeyRing ring,
      TransportSettings.Quic identity,
      Compression compression,
      InetSocketAddress bind,
      InetAddress advertised,
      Receiver receiver,
      GossipMetrics metrics)
      throws IOException {
    this.settings = identity;
    this.compression = compression;
    this.receiver = receiver;
    this.metrics = metrics;
    this.tls = QuicTls.of(identity.keyManager(), identity.trustManager(), ring);
    this.endpoint =
        QuicEndpoint.bind(
            bind, () -> tls, () -> QuicConnection.inbound(this), metrics, receiver::onDropped);
    this.self = UdpSocket.address(new InetSocketAddress(advertised, port()));
  }

  /**
   * @param bind port 0: any that is free, see {@link #port}
   * @param advertised where answers go; with the bound port
   * @throws IOException when the port is taken, or this platform has no QUIC
   */
  public static QuicTransport bind(
      KeyRing ring,
      TransportSettings.Quic identity,
      Compression compression,
      InetSocketAddress bind,
      InetAddress advertised,
      Receiver receiver,
      GossipMetrics metrics)
      throws IOException {
    Optional<String> missing = TransportSettings.Quic.unavailableReason();
    if (missing.isPresent()) throw new IOException(missing.get());
    return new QuicTransport(ring, identity, compression, bind, advertised, receiver, metrics);
  }

  // ---- for the gossip thread

  @Override
  public int port() {
    return endpoint.port();
  }

  @Override
  public int datagramCapacity() {
    return MAX_UDP_PAYLOAD - QUIC_OVERHEAD - QuicFormat.MAX_RETURN_ADDRESS - FrameBody.OVERHEAD;
  }

  /** None: a stream per class loses nothing, and holds no other class back. */
  @Override
  public int datagramBudget() {
    return 0;
  }

  @Override
  public void send(PeerAddress to, List<byte[]> messages) {
    byte[] body = encodeBody(messages);
    post(() -> connectionTo(to).ifPresent(connection -> connection.sendDatagram(body)));
  }

  @Override
  public void sendOverStream(PeerAddress to, byte[] message) {
    byte[] body = encodeBody(List.of(message));
    boolean isPosted =
        post(
            () -> {
              boolean taken = connectionTo(to).map(c -> c.sendMembership(body)).orElse(false);
              if (!taken) receiver.onUnreachable(to);
            });
    if (!isPosted) receiver.onUnreachable(to);
  }

  @Override
  public void connect(PeerAddress neighbour, NeighbourQueue queue) {
    boolean isPosted =
        post(
            () ->
                connectionTo(neighbour)
                    .ifPresentOrElse(
                        c -> c.attachQueue(neighbour, queue),
                        () -> receiver.onUnreachable(neighbour)));
    if (!isPosted) receiver.onUnreachable(neighbour);
  }

  @Override
  public void disconnect(PeerAddress neighbour) {
    post(
        () -> {
          for (QuicConnection c : connections) {
            if (c.peer().filter(neighbour::equals).isPresent()) c.detachQueue();
          }
        });
  }

  @Override
  public void replaceKeys(KeyRing ring) {
    tls = QuicTls.of(settings.keyManager(), settings.trustManager(), ring);
  }

  @Override
  public void close() {
    closed = true;
    endpoint.close(() -> List.copyOf(connections).forEach(QuicConnection::close));
  }

  // ---- for the connections

  NodeAddress self() {
    return self;
  }

  byte[] encodeBody(List<byte[]> messages) {
    return FrameBody.encode(messages, compression);
  }

  /** Has the event loop do it; false when it has too much to do already, or is closed. */
  boolean post(Runnable task) {
    if (closed) return false;
    if (pendingTasks.incrementAndGet() > MAX_PENDING_TASKS) {
      pendingTasks.decrementAndGet();
      onDropped(DropReason.QUEUE_FULL);
      return false;
    }
    try {
      endpoint
          .eventLoop()
          .execute(
              () -> {
                pendingTasks.decrementAndGet();
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

  void onDropped(DropReason reason) {
    receiver.onDropped(reason);
  }

  /** The names that a certificate speaks for. */
  Set<String> certificateNames(X509Certificate certificate) {
    return settings.certificateNames().apply(certificate);
  }

  /** False when the connection must end. */
  boolean onBody(
      QuicConnection by, NodeAddress from, byte[] body, int maxInflated, boolean reliable) {
    // an address is only said: nobody takes over that of another who answers there
    QuicConnection known = routes.get(from);
    if (known == null || (known != by && known.yieldsRouteTo(by))) routes.put(from, by);
    return receiver.onBody(from, Optional.of(by.certificateNames()), body, maxInflated, reliable);
  }

  /**
   * Whether there is room for one more that has not shown its certificate. Where only strangers
   * fill it, the eldest goes: a member shows it within two round trips, a stranger never.
   */
  boolean admit(QuicConnection connection) {
    boolean crowded = unauthenticated.size() >= MAX_UNAUTHENTICATED;
    boolean full = connections.size() >= MAX_OPEN;
    if (crowded || full) onDropped(DropReason.CONNECTIONS_FULL);
    if (full) return false;
    if (crowded) unauthenticated.removeFirst().close();
    unauthenticated.add(connection);
    return true;
  }

  void onOpened(QuicConnection connection) {
    unauthenticated.remove(connection);
    connections.add(connection);
    updateConnectionGauge();
  }

  void onClosed(QuicConnection connection, boolean wasOpen) {
    boolean wasStranger = unauthenticated.remove(connection);
    connections.remove(connection);
    routes.values().removeIf(c -> c == connection);
    updateConnectionGauge();
    if (closed) return;
    if (wasOpen) count(PlumtreeMetric.QUIC_DISCONNECTIONS);
    if (wasStranger || connection.hasAuthenticationFailed()) onDropped(DropReason.NOT_PROVEN);
    connection
        .peer()
        .ifPresent(
            peer -> {
              if (connection.hasAuthenticationFailed() && connection.isOutbound())
                receiver.onAuthenticationFailed(peer);
              if (connection.hasUndelivered()) receiver.onUnreachable(peer);
            });
  }

  private void updateConnectionGauge() {
    metrics.setGauge(PlumtreeMetric.QUIC_CONNECTIONS, connections.size());
  }

  /** The connection to this peer, called if there is none; empty when there are too many. */
  private Optional<QuicConnection> connectionTo(PeerAddress to) {
    QuicConnection known = routes.get(to.address());
    if (known != null && !known.isClosed() && known.isUsableFor(to)) return Optional.of(known);
    if (connections.size() >= MAX_OPEN) {
      onDropped(DropReason.CONNECTIONS_FULL);
      return Optional.empty();
    }
    QuicConnection fresh = QuicConnection.outbound(this, to);
    routes.put(to.address(), fresh);
    connections.add(fresh);
    endpoint.connect(fresh, to.address(), HANDSHAKE_TIMEOUT);
    return Optional.of(fresh);
  }
}
