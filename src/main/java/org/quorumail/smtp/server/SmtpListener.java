package org.quorumail.smtp.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.quorumail.config.Config.ListenerConfig;
import org.quorumail.smtp.Connection;
import org.quorumail.smtp.Reply;
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

  private static final Reply TOO_MANY =
      Reply.of(421, "4.7.0", "Too many connections, try again later");
  private static final Reply TOO_MANY_OF_YOURS =
      Reply.of(421, "4.7.0", "Too many connections from your address, try again later");

  private final ListenerConfig config;
  private final ServerSocket server;
  private final Availability availability;
  private final SmtpMetrics metrics;
  private final Shared shared;
  private final Thread accepting;

  /** When the connection came that is being admitted, as nanoTime. */
  private volatile long admittingSince = IDLE;

  private final AtomicInteger active = new AtomicInteger();
  private final Map<InetAddress, Integer> perAddress = new ConcurrentHashMap<>();
  private final Map<SmtpSession, Connection> sessions = new ConcurrentHashMap<>();

  private SmtpListener(ListenerConfig config, ServerContext context, ServerSocket server) {
    this.config = config;
    this.server = server;
    this.availability = new Availability(context.intake());
    this.metrics = new SmtpMetrics(context.meters(), nameOf(config), this::activeConnections);
    this.shared = new Shared(config, context, availability, metrics);
    this.accepting =
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
    listener.accepting.start();
    LOG.info("event=listening service={} socket={}", config.service(), listener.address());
    return listener;
  }

  /** Where it listens; the port is the real one when 0 was configured. */
  public InetSocketAddress address() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  public int activeConnections() {
    return active.get();
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
    while (active.get() > 0 && System.nanoTime() - until < 0) {
      sessions.forEach(
          (session, connection) -> {
            if (session.idle()) connection.stopReading();
          });
      Thread.sleep(DRAIN_POLL);
    }
    boolean finished = active.get() == 0;
    close();
    return finished;
  }

  /** Ends everything at once; what was not answered with 250 was not accepted. */
  @Override
  public void close() {
    availability.drain();
    closeServer();
    sessions.values().forEach(Connection::close);
  }

  /** Whether it accepts connections, and none has kept it from the next for so long. */
  public boolean progresses(Duration patience) {
    long since = admittingSince;
    boolean stuck = since != IDLE && System.nanoTime() - since >= patience.toNanos();
    return accepting.isAlive() && !stuck;
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

  private void admit(Socket socket) {
    Optional<Reply> refusal = reserve(socket.getInetAddress());
    if (refusal.isPresent()) {
      refuse(socket, refusal.get());
      return;
    }
    metrics.connected();
    Thread.ofVirtual().name("smtp-session").start(() -> serve(socket));
  }

  private void serve(Socket socket) {
    long start = System.nanoTime();
    InetAddress client = socket.getInetAddress();
    LOG.debug("event=connect client={}", client.getHostAddress());
    try (socket) {
      Connection connection = new Connection(socket, config.timeouts().connection());
      SmtpSession session = new SmtpSession(connection, shared);
      sessions.put(session, connection);
      try {
        session.run();
      } finally {
        sessions.remove(session);
        connection.closeOrderly();
      }
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", client.getHostAddress(), e);
    } catch (RuntimeException e) {
      LOG.error("event=session_failed client={}", client.getHostAddress(), e);
    } finally {
      release(client);
      metrics.ended(System.nanoTime() - start);
    }
  }

  /** Counts the connection, or says why it may not be. */
  private Optional<Reply> reserve(InetAddress client) {
    if (active.incrementAndGet() > config.limits().connections()) {
      active.decrementAndGet();
      return Optional.of(TOO_MANY);
    }
    int ofThisClient = perAddress.merge(client, 1, Integer::sum);
    if (ofThisClient > config.limits().connectionsPerIp()) {
      release(client);
      return Optional.of(TOO_MANY_OF_YOURS);
    }
    return Optional.empty();
  }

  private void release(InetAddress client) {
    perAddress.computeIfPresent(client, (address, count) -> count == 1 ? null : count - 1);
    active.decrementAndGet();
  }

  /** A fresh connection's send buffer is empty, so this write does not block the accepting. */
  private void refuse(Socket socket, Reply reply) {
    metrics.connectionRejected();
    LOG.info(
        "event=connection_rejected client={} reply=\"{}\"",
        socket.getInetAddress().getHostAddress(),
        reply);
    try (socket) {
      socket.getOutputStream().write(reply.toWire());
    } catch (IOException e) {
      LOG.debug("event=connection_lost reason=\"{}\"", e.getMessage());
    }
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
