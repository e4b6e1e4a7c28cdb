package org.quorumail.node;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.quorumail.config.HostPort;
import org.quorumail.smtp.NextHopLimits;
import org.quorumail.smtp.server.InjectionEndpoint;
import org.quorumail.smtp.server.ListenerConfig;
import org.quorumail.smtp.server.MemoryBudget;
import org.quorumail.smtp.server.ServerContext;
import org.quorumail.smtp.server.SmtpListener;
import org.quorumail.spool.Intake;
import org.quorumail.tls.ServerTls;

/**
 * The SMTP listeners of this node, opened and drained together, and the entrance for messages over
 * HTTP beside them. Thread-safe.
 */
public final class SmtpListeners {
  /** No listener: a node that does not receive, or does not yet. */
  static final SmtpListeners NONE = new SmtpListeners(List.of(), Optional.empty());

  private static final Duration POLL = Duration.ofMillis(20);

  private final List<SmtpListener> listeners;
  private final Optional<InjectionEndpoint> injection;

  private SmtpListeners(List<SmtpListener> listeners, Optional<InjectionEndpoint> injection) {
    this.listeners = List.copyOf(listeners);
    this.injection = injection;
  }

  /** Reports a taken port before anything is opened, not after the groups have been. */
  public static void requireFreePorts(Config config) throws NodeStartException {
    for (ListenerConfig listener : configured(config)) {
      try (ServerSocket probe = new ServerSocket()) {
        probe.setReuseAddress(true);
        probe.bind(listener.socket());
      } catch (IOException e) {
        throw new NodeStartException(
            "smtp.listeners: cannot listen on %s (%s); %s"
                .formatted(text(listener.socket()), e.getMessage(), remedy(e)),
            e);
      }
    }
  }

  private static String remedy(IOException e) {
    boolean inUse = String.valueOf(e.getMessage()).contains("in use");
    return inUse
        ? "stop the program that does, or name another port"
        : "name an address and a port that this host lets the node use";
  }

  /** Opens all configured listeners, or none when one of them cannot be opened. */
  public static SmtpListeners open(
      LiveConfig config,
      Intake intake,
      QueueRuns queueRuns,
      Function<String, Optional<NextHopLimits>> nextHops,
      MeterRegistry meters)
      throws IOException {
    List<ListenerConfig> configured = configured(config.current());
    MemoryBudget memory = MemoryBudget.within(config.current().smtpMemory(), meters);
    List<SmtpListener> open = new ArrayList<>();
    try {
      for (int i = 0; i < configured.size(); i++) {
        int index = i;
        ServerContext context =
            context(config, () -> config.tls(index), intake, queueRuns, nextHops, memory, meters);
        open.add(SmtpListener.open(configured.get(i), context));
      }
      ServerContext context =
          context(config, Optional::empty, intake, queueRuns, nextHops, memory, meters);
      return new SmtpListeners(open, injection(configured, context));
    } catch (IOException e) {
      open.forEach(SmtpListener::close);
      throw e;
    }
  }

  /** The entrance over HTTP has the widest limits of the listeners. */
  private static Optional<InjectionEndpoint> injection(
      List<ListenerConfig> listeners, ServerContext context) {
    if (listeners.isEmpty()) return Optional.empty();
    long size = listeners.stream().mapToLong(ListenerConfig::maxMessageSize).max().orElseThrow();
    int recipients = listeners.stream().mapToInt(l -> l.limits().recipients()).max().orElseThrow();
    return Optional.of(new InjectionEndpoint(context, size, recipients));
  }

  /** The entrance for messages over HTTP; empty on a node that does not receive, or not yet. */
  public Optional<InjectionEndpoint> injection() {
    return injection;
  }

  public boolean isEmpty() {
    return listeners.isEmpty();
  }

  public int activeConnections() {
    return listeners.stream().mapToInt(SmtpListener::activeConnections).sum();
  }

  /** Reports whether the accept loop of each listener has made progress within the timeout. */
  public boolean areAccepting(Duration timeout) {
    return listeners.stream().allMatch(l -> l.isAccepting(timeout));
  }

  /** Ends the sessions without a transaction; the listeners stay open. */
  void endIdleSessions() {
    listeners.forEach(SmtpListener::endIdleSessions);
  }

  /** The number of sessions with a transaction, see {@link SmtpListener#transactions}. */
  int transactions() {
    return listeners.stream().mapToInt(SmtpListener::transactions).sum()
        + injection.map(InjectionEndpoint::sessions).orElse(0);
  }

  /** Waits until no transaction runs, in listeners that drain: their drain has a timeout. */
  public void awaitTransactions() throws InterruptedException {
    while (transactions() > 0) Thread.sleep(POLL);
  }

  /** Closes all connections at once; the listeners stay open. */
  void closeSessions() {
    listeners.forEach(SmtpListener::closeSessions);
  }

  /** Starts to drain all listeners at once; returns the threads that wait for their sessions. */
  public List<Thread> drain(Duration timeout) {
    return listeners.stream()
        .map(l -> Thread.ofVirtual().name("smtp-drain").start(() -> drain(l, timeout)))
        .toList();
  }

  private static void drain(SmtpListener listener, Duration timeout) {
    try {
      listener.drain(timeout);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static List<ListenerConfig> configured(Config config) {
    return config.roles().contains(Config.Role.RECEIVE) ? config.listeners() : List.of();
  }

  private static ServerContext context(
      LiveConfig config,
      Supplier<Optional<ServerTls>> tls,
      Intake intake,
      QueueRuns queueRuns,
      Function<String, Optional<NextHopLimits>> nextHops,
      MemoryBudget memory,
      MeterRegistry meters) {
    return new ServerContext(
        config.current().hostname(),
        intake,
        config::relayPolicy,
        config::rules,
        PolicyFactory.scratchDirectory(config.current()),
        tls,
        queueRuns::start,
        nextHops,
        config::authentication,
        memory,
        meters,
        Clock.systemUTC());
  }

  private static String text(InetSocketAddress socket) {
    return new HostPort(socket.getAddress().getHostAddress(), socket.getPort()).toString();
  }
}
