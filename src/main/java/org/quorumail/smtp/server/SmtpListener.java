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
 * A listening socket. It accepts connections within the configured limits and runs a session for
 * each on a virtual thread. Open it when the spool is ready; {@link #drain} it before the spool is
 * closed.
 */
public final class SmtpListener implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpListener.class);
  private static final int BACKLOG = 4096; // bursts of one-message connections; the kernel caps it
  private static final Duration ACCEPT_PAUSE = Duration.ofMillis(50); // out of file descriptors
  private static final long NONE = 0;
  private static final Duration DRAIN_POLL = Duration.ofMillis(20);

  /** A proxy sends its header at once; the specification asks for three seconds at least. */
  private static final Duration PROXY_HEADER_TIMEOUT = Duration.ofSeconds(10);

  private final ListenerConfig config;
  private final ServerSocket server;
  private final Availability availability;
  private final SmtpMetrics metrics;
  private final ListenerContext context;
  private final Thread acceptThread;

  /** The arrival of the connection that is being admitted, as nanoTime; NONE between two. */
  private volatile long admittingSince = NONE;

  private final ConnectionLimiter limiter;
  private final Map<SmtpSession, SmtpChannel> sessions = new ConcurrentHashMap<>();

  private SmtpListener(ListenerConfig config, ServerContext services, ServerSocket server) {
    this.config = config;
    this.server = server;
    this.limiter = new ConnectionLimiter(config.limits());
    this.availability = new Availability(services.intake());
    this.metrics = new SmtpMetrics(services.meters(), nameOf(config), this::activeConnections);
    this.context = new ListenerContext(config, services, availability, metrics);
    this.acceptThread =
        Thread.ofPlatform().name("smtp-accept-" + server.getLocalPort()).unstarted(this::accept);
  }

  /**
   * Binds the socket and starts to accept connections.
   *
   * @throws IOException with one sentence that names the address when it cannot be bound
   */
  public static SmtpListener open(ListenerConfig config, ServerContext services)
      throws IOException {
    ServerSocket server = new ServerSocket();
    try {
      server.setReuseAddress(true);
      server.bind(config.socket(), BACKLOG);
    } catch (IOException e) {
      server.close();
      throw new IOException(
          "cannot listen on " + nameOf(config) + " (smtp.listeners): " + e.getMessage(), e);
    }
    SmtpListener listener = new SmtpListener(config, services, server);
    listener.acceptThread.start();
    LOG.info("event=listening service={} socket={}", config.service(), listener.address());
    return listener;
  }

  /** The address of the socket; its port is the real one when 0 was configured. */
  public InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  public int activeConnections() {
    return limiter.active();
  }

  /**
   * Refuses new connections and transactions, lets running transactions finish, and closes.
   *
   * @return whether all sessions ended in time
   */
  public boolean drain(Duration atMost) throws InterruptedException {
    availability.drain();
    closeServer();
    long until = System.nanoTime() + atMost.toNanos();
    while (limiter.active() > 0 && System.nanoTime() - until < 0) {
      endIdleSessions();
      Thread.sleep(DRAIN_POLL);
    }
    boolean finished = limiter.active() == 0;
    close();
    return finished;
  }

  /** Ends the sessions without a transaction; they get 421 when the spool drains. */
  public void endIdleSessions() {
    sessions.forEach(
        (session, connection) -> {
          if (session.isIdle()) connection.stopReading();
        });
  }

  /**
   * The number of sessions with a transaction. Once it is 0 after the spool has begun to drain, no
   * message is on its way in, and none can come.
   */
  public int transactions() {
    return (int) sessions.keySet().stream().filter(session -> !session.isIdle()).count();
  }

  /**
   * Closes all connections at once, and accepts new ones; a message without 250 is not accepted.
   */
  public void closeSessions() {
    sessions.values().forEach(SmtpChannel::close);
  }

  /** Closes all connections at once; a message that was not answered 250 is not accepted. */
  @Override
  public void close() {
    availability.drain();
    closeServer();
    closeSessions();
  }

  /** Whether the listener accepts connections, and no connection has blocked it for so long. */
  public boolean isAccepting(Duration timeout) {
    long since = admittingSince;
    boolean stuck = since != NONE && System.nanoTime() - since >= timeout.toNanos();
    return acceptThread.isAlive() && !stuck;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        admittingSince = Math.max(1, System.nanoTime());
        admit(socket);
        admittingSince = NONE;
      } catch (IOException e) {
        if (server.isClosed()) return;
        LOG.warn("event=accept_failed reason=\"{}\"", e.getMessage());
        pause();
      }
    }
  }

  /** Refuses connections above the limits on this thread, so that they cost no other. */
  private void admit(Socket socket) {
    Optional<ConnectionLimiter.Permit> entered = limiter.acquire();
    if (entered.isEmpty()) {
      refuse(socket, ConnectionLimiter.TOO_MANY);
      return;
    }
    ConnectionLimiter.Permit permit = entered.get();
    boolean proxied = isProxy(socket.getInetAddress());
    Optional<Reply> refusal = proxied ? Optional.empty() : permit.assignTo(socket.getInetAddress());
    if (refusal.isPresent()) {
      permit.release();
      refuse(socket, refusal.get());
      return;
    }
    Optional<SessionMemory> memory =
        SessionMemory.open(context.server().memory(), config.limits().line());
    if (memory.isEmpty()) {
      permit.release();
      refuse(socket, SessionMemory.REFUSAL_AT_CONNECT);
      return;
    }
    metrics.connected();
    Thread.ofVirtual()
        .name("smtp-session")
        .start(() -> serve(socket, permit, memory.get(), proxied));
  }

  private void serve(
      Socket socket, ConnectionLimiter.Permit permit, SessionMemory memory, boolean proxied) {
    long start = System.nanoTime();
    String peer = socket.getInetAddress().getHostAddress();
    LOG.debug("event=connected client={}", peer);
    try (socket) {
      SmtpChannel channel = SmtpChannel.open(socket, config.timeouts().connection());
      try {
        if (!proxied || readProxyHeader(channel, permit)) runSession(channel, permit, memory);
      } finally {
        channel.closeGracefully();
      }
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", peer, e);
    } catch (RuntimeException e) {
      LOG.error("event=session_failed client={}", peer, e);
    } finally {
      memory.close();
      permit.release();
      metrics.sessionEnded(System.nanoTime() - start);
    }
  }

  private void runSession(
      SmtpChannel channel, ConnectionLimiter.Permit permit, SessionMemory memory) {
    SmtpSession session = new SmtpSession(new SessionContext(context, channel, memory), permit);
    sessions.put(session, channel);
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

  /** Reads the proxy's header, which names the client; false ends the connection. */
  private boolean readProxyHeader(SmtpChannel channel, ConnectionLimiter.Permit permit)
      throws IOException {
    channel.deadline(PROXY_HEADER_TIMEOUT);
    try {
      if (ProxyHeader.read(channel.input()) instanceof ProxyHeader.Proxied by) {
        channel.useProxiedAddresses(by.source(), by.destination());
      }
    } catch (SmtpProtocolException | SocketTimeoutException e) {
      metrics.connectionRejected();
      LOG.info(
          "event=connection_rejected client={} reason=\"{}\"",
          channel.remoteAddress().getHostAddress(),
          e.getMessage());
      return false;
    }
    Optional<Reply> refusal = permit.assignTo(channel.remoteAddress());
    if (refusal.isEmpty()) return true;
    logRejected(channel.remoteAddress(), refusal.get());
    channel.writer().reply(refusal.get());
    channel.flush();
    return false;
  }

  /**
   * A fresh connection's send buffer is empty, so this write does not block the accepting thread.
   */
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
      LOG.warn("event=listener_not_closed reason=\"{}\"", e.getMessage());
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
