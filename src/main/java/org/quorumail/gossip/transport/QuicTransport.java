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
import org.quorumail.gossip.plumtree.PlumtreeMetric;

/**
 * A transport over QUIC (RFC 9000) with mutual TLS, one connection per node. Probes are datagrams
 * (RFC 9221); the rest of membership has a stream, and so has each priority of broadcasts. The
 * connection encrypts and authenticates, so bodies are not sealed again. A message that claims
 * another node's id than its sender's certificate ends the connection.
 *
 * <p>A connection lives while the other node is a neighbour, else until {@link
 * QuicConnection#IDLE_TIMEOUT} without traffic. A message for an address uses the connection that
 * received from that address last. So a restarted node is answered on its new connection at once.
 *
 * <p>Threads: one event loop, which owns the mutable state here.
 */
public final class QuicTransport implements Transport {
  /** The limit for one handshake. */
  static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(3);

  /** Fits an Ethernet frame with IPv6 and a tunnel or two around it. */
  static final int MAX_UDP_PAYLOAD = 1_350;

  /** Flags, connection id, packet number, seal, the header of a DATAGRAM frame; with some room. */
  private static final int QUIC_OVERHEAD = 64;

  /** Room for the neighbours and the nodes probed in the last seconds; each costs some KiB. */
  private static final int MAX_OPEN = 1_024;

  /** Connections whose address is validated (RFC 9000, 8.1) but that show no certificate yet. */
  static final int MAX_UNAUTHENTICATED = 64;

  /** Tasks of other threads: one second's worth at a node with many peers. */
  private static final int MAX_PENDING_TASKS = 8_192;

  private final TransportSettings.Quic settings;
  private final Compression compression;
  private final Receiver receiver;
  private final TransportMeter meter;
  private final QuicEndpoint endpoint;
  private final NodeAddress self;
  private final AtomicInteger pendingTasks = new AtomicInteger();
  private final Map<NodeAddress, QuicConnection> routes = new HashMap<>();
  private final Set<QuicConnection> connections = new HashSet<>();
  private final SequencedSet<QuicConnection> unauthenticated = new LinkedHashSet<>();
  private volatile QuicTls tls;
  private volatile boolean closed;

  private QuicTransport(
      QuicTls tls,
      TransportSettings.Quic settings,
      Compression compression,
      QuicEndpoint endpoint,
      InetAddress advertised,
      Receiver receiver,
      TransportMeter meter) {
    this.tls = tls;
    this.settings = settings;
    this.compression = compression;
    this.endpoint = endpoint;
    this.self = SocketAddresses.toNodeAddress(new InetSocketAddress(advertised, endpoint.port()));
    this.receiver = receiver;
    this.meter = meter;
  }

  /**
   * Binds the sockets and starts to receive.
   *
   * @param bind port 0 for any free port, see {@link #port}
   * @param advertised the address for answers, with the bound port
   * @throws IOException when the port is taken, or this platform has no QUIC
   */
  public static QuicTransport bind(
      KeyRing ring,
      TransportSettings.Quic settings,
      Compression compression,
      InetSocketAddress bind,
      InetAddress advertised,
      Receiver receiver,
      TransportMeter meter)
      throws IOException {
    Optional<String> unavailable = TransportSettings.Quic.unavailableReason();
    if (unavailable.isPresent()) throw new IOException(unavailable.get());
    QuicTls tls = QuicTls.of(settings.keyManager(), settings.trustManager(), ring);
    QuicEndpoint endpoint = QuicEndpoint.bind(bind);
    QuicTransport transport =
        new QuicTransport(tls, settings, compression, endpoint, advertised, receiver, meter);
    endpoint.start(
        () -> transport.tls, () -> QuicConnection.inbound(transport), meter, receiver::onDropped);
    return transport;
  }

  // ---- the gossip thread's calls

  @Override
  public int port() {
    return endpoint.port();
  }

  @Override
  public int datagramCapacity() {
    return MAX_UDP_PAYLOAD - QUIC_OVERHEAD - QuicFormat.MAX_RETURN_ADDRESS - FrameBody.OVERHEAD;
  }

  /** None: a stream per class loses nothing and delays no other class. */
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
  public void connect(PeerAddress neighbour, OutboundQueue queue) {
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

  // ---- the connections' calls

  NodeAddress self() {
    return self;
  }

  byte[] encodeBody(List<byte[]> messages) {
    return FrameBody.encode(messages, compression);
  }

  /** Runs the task in the event loop; false when too many tasks wait, or the loop is closed. */
  boolean post(Runnable task) {
    if (closed) return false;
    if (pendingTasks.incrementAndGet() > MAX_PENDING_TASKS) {
      pendingTasks.decrementAndGet();
      onDropped(DropReason.QUEUE_FULL);
      return false;
    }
    try {
      endpoint.eventLoop().execute(() -> run(task));
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  private void run(Runnable task) {
    if (pendingTasks.decrementAndGet() < 0) {
      throw new IllegalStateException("the count of pending tasks is negative");
    }
    task.run();
  }

  void count(PlumtreeMetric counter) {
    meter.count(counter, 1);
  }

  void onDropped(DropReason reason) {
    receiver.onDropped(reason);
  }

  /** The node ids that a certificate is valid for. */
  Set<String> certificateNames(X509Certificate certificate) {
    return settings.certificateNames().apply(certificate);
  }

  /** Passes a body to the receiver; false when the connection must end. */
  boolean onBody(
      QuicConnection by, NodeAddress from, byte[] body, int maxDecompressed, boolean reliable) {
    // the return address is only claimed: it must not take the route of another node that answers
    QuicConnection known = routes.get(from);
    if (known == null || (known != by && known.yieldsRouteTo(by))) routes.put(from, by);
    return receiver.onBody(
        from, Optional.of(by.certificateNames()), body, maxDecompressed, reliable);
  }

  /**
   * Admits a connection that has not shown its certificate, if there is room. Among too many such
   * connections the oldest is closed: a member shows its certificate within two round trips.
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
    assert endpoint.eventLoop().inEventLoop() : "connections belong to the event loop";
    unauthenticated.remove(connection);
    connections.add(connection);
    updateConnectionGauge();
  }

  void onClosed(QuicConnection connection, boolean wasOpen) {
    boolean wasUnauthenticated = unauthenticated.remove(connection);
    connections.remove(connection);
    routes.values().removeIf(c -> c == connection);
    updateConnectionGauge();
    if (closed) return;
    if (wasOpen) count(PlumtreeMetric.QUIC_DISCONNECTIONS);
    boolean hasFailed = connection.hasAuthenticationFailed();
    if (wasUnauthenticated || hasFailed) onDropped(DropReason.NOT_PROVEN);
    PeerAddress peer = connection.peer().orElse(null);
    if (peer == null) return;
    if (hasFailed && connection.isOutbound()) receiver.onAuthenticationFailed(peer);
    if (connection.hasUndelivered()) receiver.onUnreachable(peer);
  }

  private void updateConnectionGauge() {
    meter.setGauge(PlumtreeMetric.QUIC_CONNECTIONS, connections.size());
  }

  /** The connection to this peer, opened if there is none; empty when there are too many. */
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
