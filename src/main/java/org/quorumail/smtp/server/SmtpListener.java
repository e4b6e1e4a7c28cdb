package org.quorumail.smtp.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.quorumail.config.Network;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.smtp.SmtpProtocolException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One listening socket: accepts connections, holds them to their limits and gives each its session
 * on a virtual thread. Open it when the spool is ready; {@link #drain} it before the spool goes.
 */
public final class SmtpListener implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpListener.class);
  private static final int BACKLOG = 4096; // bursts of one-message connections; the kernel caps it
  private static final Duration ACCEPT_PAUSE = Duration.ofMillis(50); // out of file descriptors
  private static final long IDLE = 0;
  private static final Duration DRAIN_POLL = Duration.ofMillis(20);

  /** A proxy speaks at once; the specification asks for three seconds at least. */
  private static final Duration PROXY_HEADER = Duration.ofSeconds(10);

  private final ListenerConfig config;
  private final ServerSocket server;
  private final Availability availability;
  private final SmtpMetrics metrics;
  private final ListenerContext shared;
  private final Thread acceptThread;

  /** When the connection came that is being admitted, as nanoTime. */
  private volatile long admittingSince = IDLE;

  private final ConnectionLimiter limiter;
  private final Map<SmtpSession, SmtpChannel> sessions = new ConcurrentHashMap<>();

  private SmtpListener(ListenerConfig config, ServerContext context, ServerSocket server) {
    this.config = config;
    this.server = server;
    this.limiter = new ConnectionLimiter(config.limits());
    this.availability = new Availability(context.intake());
    this.metrics = new SmtpMetrics(context.meters(), nameOf(config), this::activeConnections);
    this.shared = new ListenerContext(config, context, availability, metrics);
    this.acceptThread =
        Thread.ofPlatform().name("smtp-accept-" + server.getLocalPort()).unstarted(this::accept);
  }

  /**
   * Binds the socket and begins to accept.
   *
   * @throws IOException with one sentence that names the address when it cannot be had
   */
  public static SmtpListener open(ListenerConfig config, ServerContext context) throws IOException {
    ServerSocket server = new ServerSocket();
    try {
      server.setReuseAddress(true);
      server.bind(config.socket(), BACKLOG);
    } catch (IOException e) {
      server.close();
      throw new IOException(
          "cannot listen on " + nameOf(config) + " (smtp.listeners): " + e.getMessage(), e);
    }
    SmtpListener listener = new SmtpListener(config, context, server);
    listener.acceptThread.start();
    LOG.info("event=listening service={} socket={}", config.service(), listener.address());
    return listener;
  }

  /** Where it listens; the port is the real one when 0 was configured. */
  public InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  public int activeConnections() {
    return limiter.active();
  }

  /**
   * Takes no more connections or transactions, lets those under way finish, and closes.
   *
   * @return whether all of them had finished in time
   */
  public boolean drain(Duration atMost) throws InterruptedException {
    availability.drain();
    closeServer();
    long until = System.nanoTime() + atMost.toNanos();
    while (limiter.active() > 0 && System.nanoTime() - until < 0) {
      sessions.forEach(
          (session, connection) -> {
            if (session.isIdle()) connection.stopReading();
          });
      Thread.sleep(DRAIN_POLL);
    }
    boolean finished = limiter.active() == 0;
    close();
    return finished;
  }

  /** Ends everything at once; what was not answered with 250 was not accepted. */
  @Override
  public void close() {
    availability.drain();
    closeServer();
    sessions.values().forEach(SmtpChannel::close);
  }

  /** Whether it accepts connections, and none has kept it from the next for so long. */
  public boolean isAccepting(Duration patience) {
    long since = admittingSince;
    boolean stuck = since != IDLE && System.nanoTime() - since >= patience.toNanos();
    return acceptThread.isAlive() && !stuck;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        admittingSince = Math.max(1, System.nanoTime());
        admit(socket);
        admittingSince = IDLE;
      } catch (IOException e) {
        if (server.isClosed()) return;
        LOG.warn("event=accept_failed reason=\"{}\"", e.getMessage());
        pause();
      }
    }
  }

  /** Refuses here what is too much, so that it costs no thread. */
  private void admit(Socket socket) {
    Optional<ConnectionLimiter.Permit> entered = limiter.acquire();
    if (entered.isEmpty()) {
      refuse(socket, ConnectionLimiter.TOO_MANY);
      return;
    }
    ConnectionLimiter.Permit seat = entered.get();
    boolean proxied = isProxy(socket.getInetAddress());
    Optional<Reply> refusal = proxied ? Optional.empty() : seat.assignTo(socket.getInetAddress());
    if (refusal.isPresent()) {
      seat.release();
      refuse(socket, refusal.get());
      return;
    }
    metrics.connected();
    Thread.ofVirtual().name("smtp-session").start(() -> serve(socket, seat, proxied));
  }

  private void serve(Socket socket, ConnectionLimiter.Permit seat, boolean proxied) {
    long start = System.nanoTime();
    String peer = socket.getInetAddress().getHostAddress();
    LOG.debug("event=connect client={}", peer);
    try (socket) {
      SmtpChannel connection = new SmtpChannel(socket, config.timeouts().connection());
      try {
        if (!proxied || readProxyHeader(connection, seat)) runSession(connection, seat);
      } finally {
        connection.closeGracefully();
      }
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", peer, e);
    } catch (RuntimeException e) {
      LOG.error("event=session_failed client={}", peer, e);
    } finally {
      seat.release();
      metrics.sessionEnded(System.nanoTime() - start);
    }
  }

  private void runSession(SmtpChannel connection, ConnectionLimiter.Permit seat) {
    SmtpSession session = new SmtpSession(connection, shared, seat);
    sessions.put(session, connection);
    try {
      session.run();
    } finally {
      sessions.remove(session);
    }
  }

  private boolean isProxy(InetAddress peer) {
    for (Network network : config.proxyProtocolFrom()) if (network.contains(peer)) return true;
    return false;
  }

  /** Has the proxy say who its client is. Without an answer to that there is none to anything. */
  private boolean readProxyHeader(SmtpChannel connection, ConnectionLimiter.Permit seat)
      throws IOException {
    connection.deadline(PROXY_HEADER);
    try {
      if (ProxyHeader.read(connection.input()) instanceof ProxyHeader.Proxied by) {
        connection.useProxiedAddresses(by.source(), by.destination());
      }
    } catch (SmtpProtocolException | SocketTimeoutException e) {
      metrics.connectionRejected();
      LOG.info(
          "event=connection_rejected client={} reason=\"{}\"",
          connection.remoteAddress().getHostAddress(),
          e.getMessage());
      return false;
    }
    Optional<Reply> refusal = seat.assignTo(connection.remoteAddress());
    if (refusal.isEmpty()) return true;
    logRejected(connection.remoteAddress(), refusal.get());
    connection.output().write(refusal.get().toWire());
    return false;
  }

  /** A fresh connection's send buffer is empty, so this write does not block the accepting. */
  private void refuse(Socket socket, Reply reply) {
    logRejected(socket.getInetAddress(), reply);
    try (socket) {
      socket.getOutputStream().write(reply.toWire());
    } catch (IOException e) {
      LOG.debug("event=connection_lost reason=\"{}\"", e.getMessage());
    }
  }

  private void logRejected(InetAddress client, Reply reply) {
    metrics.connectionRejected();
    LOG.info("event=connection_rejected client={} reply=\"{}\"", client.getHostAddress(), reply);
  }

  private static String nameOf(ListenerConfig config) {
    return config.socket().getHostString() + ":" + config.socket().getPort();
  }

  private void closeServer() {
    try {
      server.close();
    } catch (IOException e) {
      LOG.warn("event=close_failed reason=\"{}\"", e.getMessage());
    }
  }

  private static void pause() {
    try {
      Thread.sleep(ACCEPT_PAUSE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
