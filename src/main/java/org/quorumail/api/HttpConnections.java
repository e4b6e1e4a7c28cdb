package org.quorumail.api;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.HttpConnection.Phase;
import org.quorumail.config.Network;
import org.quorumail.tls.ServerTls;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open connections of the HTTP server. A slow client cannot hold a place that another client
 * needs: each request has a deadline, and at a limit the connection closes that has waited longest
 * for its client, so that a probe always finds a place. Wraps Helidon's HTTP/1.1. Threads: one
 * checks the deadlines.
 */
final class HttpConnections implements ServerConnectionSelector, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);

  private static final int IPV4_PREFIX = 32;

  /** One host usually has a whole network of this length. */
  private static final int IPV6_PREFIX = 64;

  /** The answer to a client that sends a request without TLS. */
  private static final byte[] PLAIN_TEXT_ANSWER =
      """
      HTTP/1.1 400 Bad Request\r
      Content-Type: text/plain\r
      Content-Length: 54\r
      Connection: close\r
      \r
      This port speaks HTTPS: use https:// in the address.\r
      """
          .getBytes(StandardCharsets.US_ASCII);

  private static final Duration LONGEST_INTERVAL = Duration.ofSeconds(1);

  private final ServerConnectionSelector http;
  private final HttpLimits limits;
  private final Supplier<Optional<ServerTls>> tls;
  private final LogAllowance allowance = new LogAllowance();
  private final Set<HttpConnection> open = new LinkedHashSet<>();
  private final ScheduledExecutorService deadlines =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofVirtual().name("http-deadlines").factory());

  HttpConnections(
      ServerConnectionSelector http, HttpLimits limits, Supplier<Optional<ServerTls>> tls) {
    this.http = http;
    this.limits = limits;
    this.tls = tls;
    long interval = Math.min(limits.requestTimeout().toMillis() / 4, LONGEST_INTERVAL.toMillis());
    deadlines.scheduleWithFixedDelay(this::closeOverdue, interval, interval, TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    deadlines.shutdownNow();
  }

  @Override
  public int bytesToIdentifyConnection() {
    return http.bytesToIdentifyConnection();
  }

  @Override
  public Support supports(BufferData data) {
    return http.supports(data);
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http.supportedApplicationProtocols();
  }

  /** Called by the thread of a new connection. */
  @Override
  public ServerConnection connection(ConnectionContext context) {
    HttpConnection connection = new HttpConnection(client(context));
    if (!admit(connection)) throw new CloseConnectionException("too many requests of the client");
    Optional<ServerTls> secured = tls.get();
    if (secured.isEmpty()) {
      DataReader socket = context.dataReader();
      DataReader reader = DataReader.create(() -> counted(octets(socket), connection));
      ConnectionContext timed =
          new TimedContext(context, reader, context.dataWriter(), context.isSecure());
      return new LimitedConnection(http.connection(timed), connection, Optional.empty());
    }
    boolean accepted = false;
    try {
      TlsChannel channel = handshake(secured.get(), context, connection);
      accepted = true;
      DataReader reader = DataReader.create(() -> counted(channel.read(), connection));
      ConnectionContext timed = new TimedContext(context, reader, channel, true);
      return new LimitedConnection(http.connection(timed), connection, Optional.of(channel));
    } finally {
      if (!accepted) remove(connection);
    }
  }

  /** Makes the handshake, which belongs to the first request and its deadline. */
  private TlsChannel handshake(
      ServerTls secured, ConnectionContext context, HttpConnection connection) {
    DataReader reader = context.dataReader();
    try {
      if (TlsChannel.isHandshake(reader)) {
        return TlsChannel.accept(secured, reader, context.dataWriter());
      }
      dropped(connection, "plain_text_on_tls_port");
      context.dataWriter().writeNow(BufferData.create(PLAIN_TEXT_ANSWER));
      throw new CloseConnectionException("the client does not speak TLS");
    } catch (DataReader.InsufficientDataAvailableException e) {
      dropped(connection, "closed_by_client");
      throw new CloseConnectionException("the client closed the connection", e);
    } catch (IOException e) {
      dropped(connection, "tls_handshake_failed");
      LOG.debug("event=http_handshake_failed client={}", connection.client(), e);
      throw new CloseConnectionException("the TLS handshake failed", e);
    }
  }

  private static Network client(ConnectionContext context) {
    InetAddress address =
        context.remotePeer().address() instanceof InetSocketAddress peer
            ? peer.getAddress()
            : InetAddress.getLoopbackAddress();
    return Network.containing(address, address instanceof Inet4Address ? IPV4_PREFIX : IPV6_PREFIX);
  }

  /** Reads the next octets of a socket; null at the end of the input. */
  private static byte @Nullable [] octets(DataReader socket) {
    try {
      socket.ensureAvailable();
      return socket.readBytes(socket.available());
    } catch (DataReader.InsufficientDataAvailableException e) {
      return null;
    }
  }

  /**
   * Counts received octets for the deadline of the request. Their end ends the connection wherever
   * it comes: Helidon would answer 500, with a stack trace in the log, when it comes inside a
   * request that was sent behind another one.
   */
  private byte[] counted(byte @Nullable [] octets, HttpConnection connection) {
    if (octets == null) {
      Phase phase = connection.phase();
      if (phase == Phase.RECEIVING || phase == Phase.UPLOADING)
        dropped(connection, "closed_by_client");
      throw new CloseConnectionException("the client has closed the connection");
    }
    connection.received();
    return octets;
  }

  private void remove(HttpConnection connection) {
    synchronized (open) {
      open.remove(connection);
    }
  }

  /** Makes room for a connection and adds it; false when all others are at work. */
  private boolean admit(HttpConnection connection) {
    Optional<HttpConnection> closed = Optional.empty();
    boolean full = false;
    synchronized (open) {
      List<HttpConnection> same = ofClient(connection.client());
      if (same.size() >= limits.connectionsPerClient()) {
        closed = closeLongestWaiting(same);
        full = closed.isEmpty();
      } else if (open.size() >= limits.connections()) {
        closed = closeLongestWaiting(ofGreediestClient()).or(() -> closeLongestWaiting(open));
        full = closed.isEmpty();
      }
      closed.ifPresent(open::remove);
      if (!full) open.add(connection);
    }
    closed.ifPresent(victim -> dropped(victim, "too_many_connections"));
    if (full) dropped(connection, "too_many_connections");
    return !full;
  }

  private List<HttpConnection> ofClient(Network client) {
    return open.stream().filter(c -> c.client().equals(client)).toList();
  }

  private List<HttpConnection> ofGreediestClient() {
    Map<Network, List<HttpConnection>> clients = new HashMap<>();
    for (HttpConnection c : open) {
      clients.computeIfAbsent(c.client(), client -> new ArrayList<>()).add(c);
    }
    return clients.values().stream().max(Comparator.comparingInt(List::size)).orElseGet(List::of);
  }

  private static Optional<HttpConnection> closeLongestWaiting(
      Collection<HttpConnection> candidates) {
    long now = System.nanoTime();
    return candidates.stream()
        .sorted(Comparator.comparingLong(c -> c.sinceNanos() - now))
        .filter(HttpConnection::close)
        .findFirst();
  }

  private void closeOverdue() {
    long now = System.nanoTime();
    List<HttpConnection> all;
    synchronized (open) {
      all = List.copyOf(open);
    }
    for (HttpConnection connection : all) {
      Phase phase = connection.phase();
      Duration limit =
          switch (phase) {
            case IDLE -> limits.idleTimeout();
            case RECEIVING, UPLOADING, ANSWERING -> limits.requestTimeout();
            case WAITING, WORKING, EVENTS, CLOSED -> null;
          };
      if (limit == null || now - connection.sinceNanos() < limit.toNanos()) continue;
      if (!connection.close()) continue;
      if (phase != Phase.IDLE) {
        dropped(connection, phase == Phase.ANSWERING ? "answer_not_taken" : "request_too_slow");
      }
    }
  }

  /** Logs that the current connection ends because its request is not HTTP. */
  void malformed() {
    dropped(HttpConnection.CURRENT.get(), "malformed_request");
  }

  /** Logs a connection that ended inside a request or for want of room. */
  private void dropped(HttpConnection connection, String reason) {
    if (!connection.takeReport()) return;
    long suppressed = allowance.take();
    if (suppressed < 0) return;
    String client = connection.client().toString();
    LOG.warn(
        "event=http_connection_dropped client={} reason={} suppressed={}",
        client,
        reason,
        suppressed);
  }

  /** A connection of Helidon that leaves the table at its end. */
  private final class LimitedConnection implements ServerConnection {
    private final ServerConnection connection;
    private final HttpConnection state;
    private final Optional<TlsChannel> secured;

    LimitedConnection(
        ServerConnection connection, HttpConnection state, Optional<TlsChannel> secured) {
      this.connection = connection;
      this.state = state;
      this.secured = secured;
    }

    @Override
    public void handle(Limit limit) throws InterruptedException {
      try {
        ScopedValue.where(HttpConnection.CURRENT, state)
            .call(
                () -> {
                  connection.handle(limit);
                  return true;
                });
      } finally {
        secured.ifPresent(this::endTls);
        remove(state);
      }
    }

    /** Ends TLS, which may block as an answer does and has the same deadline. */
    private void endTls(TlsChannel channel) {
      if (!state.enter(Phase.ANSWERING)) return;
      try {
        channel.close();
      } catch (UncheckedIOException e) {
        LOG.debug("event=http_tls_end_failed client={}", state.client(), e);
      }
    }

    @Override
    public Duration idleTime() {
      return connection.idleTime();
    }

    @Override
    public void close(boolean interrupt) {
      connection.close(interrupt);
    }
  }
}
