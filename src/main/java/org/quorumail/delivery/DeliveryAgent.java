package org.quorumail.delivery;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.quorumail.dns.Resolver;
import org.quorumail.node.Config;
import org.quorumail.smtp.client.SmtpClient;
import org.quorumail.smtp.client.SmtpConnection;

/**
 * Outgoing mail as the queue sees it: where it goes, whether there is room, and attempts.
 * Thread-safe.
 */
public final class DeliveryAgent implements AutoCloseable {
  private static final int SMTP_PORT = 25;

  /** What was learnt about an unused destination is forgotten after this. */
  private static final Duration FORGET_UNUSED_AFTER = Duration.ofMinutes(1);

  private final Router router;
  private final HostFinder hosts;
  private final SmtpClient client;
  private final CircuitBreakers breakers;
  private final ConcurrentHashMap<Destination, DestinationLimiter> flows =
      new ConcurrentHashMap<>();
  private final AtomicInteger running = new AtomicInteger();
  private final Counter opened;
  private final Counter rateLimited;
  private final Timer duration;

  public DeliveryAgent(Config config, Resolver resolver, MeterRegistry meters) {
    this(config, resolver, meters, new MxOverrides());
  }

  public DeliveryAgent(
      Config config, Resolver resolver, MeterRegistry meters, MxOverrides overrides) {
    this(config, resolver, meters, overrides, new OwnAddresses(), SMTP_PORT);
  }

  /** For tests, whose exchangers are on loopback and other ports. */
  DeliveryAgent(
      Config config,
      Resolver resolver,
      MeterRegistry meters,
      Predicate<InetAddress> ours,
      int mxPort) {
    this(config, resolver, meters, new MxOverrides(), ours, mxPort);
  }

  private DeliveryAgent(
      Config config,
      Resolver resolver,
      MeterRegistry meters,
      MxOverrides overrides,
      Predicate<InetAddress> ours,
      int mxPort) {
    router = new Router(config, overrides);
    hosts = new HostFinder(resolver, ours, mxPort);
    client = new SmtpClient(config.hostname(), config.delivery().smtpTimeouts());
    breakers = new CircuitBreakers(config.delivery().circuitBreaker());
    opened = meters.counter("delivery.connections.opened");
    rateLimited = meters.counter("delivery.rate.limited");
    duration = meters.timer("delivery.duration");
    meters.gauge("delivery.circuit.breaker.open", breakers, CircuitBreakers::openCount);
    meters.gauge("delivery.in.progress", running);
  }

  public Destination destination(String domain) {
    return router.destination(domain);
  }

  /** Asks for room for one attempt. */
  public Admission admit(Destination destination) {
    long now = System.nanoTime();
    Admission[] answer = new Admission[1];
    flows.compute( // so that a flow is not forgotten between being found and counting the attempt
        destination,
        (d, known) -> {
          DestinationLimiter flow = known == null ? new DestinationLimiter(d, now) : known;
          answer[0] = flow.admit(now);
          return flow;
        });
    if (answer[0] instanceof Admission.RateLimited) rateLimited.increment();
    return answer[0];
  }

  /** Gives back the room that an admission granted, without an attempt. */
  public void cancel(Destination destination) {
    DestinationLimiter flow = flows.get(destination);
    if (flow != null) flow.release();
  }

  /** One attempt, after {@link Admission.Granted}; blocks until the job has all its answers. */
  public void attempt(Destination destination, Job job) {
    DestinationLimiter flow = flows.get(destination);
    if (flow == null) throw new IllegalStateException("not admitted: " + destination);
    running.incrementAndGet();
    long start = System.nanoTime();
    try {
      new DeliveryAttempt(this, destination, flow, job).run();
    } finally {
      flow.release();
      running.decrementAndGet();
      duration.record(Duration.ofNanos(System.nanoTime() - start));
    }
  }

  /** Ends connections that were idle for too long and forgets old destinations; call it often. */
  public void cleanUp() {
    long now = System.nanoTime();
    for (Destination destination : flows.keySet()) {
      flows.computeIfPresent(
          destination,
          (d, flow) -> {
            quit(flow.removeExpired(now, false));
            return flow.isUnused(now, FORGET_UNUSED_AFTER) ? null : flow;
          });
    }
    breakers.removeUnused(now);
  }

  /** Ends all idle connections; attempts must have ended before. */
  @Override
  public void close() {
    long now = System.nanoTime();
    for (DestinationLimiter flow : flows.values()) quit(flow.removeExpired(now, true));
  }

  /** Attempts that run. */
  public int running() {
    return running.get();
  }

  public List<DestinationStats> stats() {
    long now = System.nanoTime();
    return flows.entrySet().stream().map(e -> e.getValue().stats(e.getKey().name(), now)).toList();
  }

  HostFinder hosts() {
    return hosts;
  }

  SmtpClient client() {
    return client;
  }

  CircuitBreakers breakers() {
    return breakers;
  }

  void connectionOpened() {
    opened.increment();
  }

  /** QUIT waits for an answer: not at the cost of whoever tidies. */
  private static void quit(List<SmtpConnection> connections) {
    for (SmtpConnection connection : connections) {
      Thread.ofVirtual().name("quit").start(connection::quit);
    }
  }
}
