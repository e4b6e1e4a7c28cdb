package org.quorumail.delivery;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.quorumail.config.RateLimit;
import org.quorumail.dns.Resolver;
import org.quorumail.metrics.Buckets;
import org.quorumail.smtp.NextHopLimits;
import org.quorumail.smtp.client.ServerEndpoint;
import org.quorumail.smtp.client.SmtpClient;
import org.quorumail.smtp.client.SmtpConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sending side as the queue sees it: the destination of a domain, the room there, and attempts.
 * Thread-safe.
 */
public final class DeliveryAgent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DeliveryAgent.class);

  private static final int SMTP_PORT = 25;

  /** The limits learnt for an unused destination are forgotten after this. */
  private static final Duration FORGET_UNUSED_AFTER = Duration.ofMinutes(1);

  private final Router router;
  private final HostFinder hosts;
  private final SmtpClient client;
  private final CircuitBreakers breakers;
  private final KnownLimits limits = new KnownLimits();
  private final ConcurrentHashMap<Destination, DestinationLimiter> limiters =
      new ConcurrentHashMap<>();
  private final AtomicInteger running = new AtomicInteger();
  private final DialBudget dials;
  private volatile Runnable onRoom = () -> {};
  private final Counter opened;
  private final Counter rateLimited;
  private final Counter loginsRefused;
  private final Counter slowedDown;
  private final Timer duration;

  /**
   * @param hostname this node's name for EHLO
   */
  public DeliveryAgent(
      String hostname,
      DeliveryConfig config,
      Router router,
      Resolver resolver,
      MeterRegistry meters) {
    this(
        new SmtpClient(hostname, config.smtpTimeouts()),
        config,
        router,
        new HostFinder(resolver, hostname, new OwnAddresses(), SMTP_PORT),
        meters);
  }

  /** Tests give a finder whose exchangers are on loopback and other ports, and issuers to trust. */
  DeliveryAgent(
      SmtpClient client,
      DeliveryConfig config,
      Router router,
      HostFinder hosts,
      MeterRegistry meters) {
    this.router = router;
    this.hosts = hosts;
    this.client = client;
    breakers = new CircuitBreakers(config.circuitBreaker());
    dials = new DialBudget(config.maxConcurrentDeliveries(), () -> onRoom.run());
    opened =
        Counter.builder("delivery.connections.opened")
            .description("Connections opened to next hops")
            .register(meters);
    rateLimited =
        Counter.builder("delivery.rate.limited")
            .description("Attempts put off by a rate limit of their destination")
            .register(meters);
    loginsRefused =
        Counter.builder("delivery.logins.refused")
            .description("Logins that next hops refused or that were not possible")
            .register(meters);
    slowedDown =
        Counter.builder("delivery.slowdowns")
            .description("Times that a rule has slowed a destination down")
            .register(meters);
    duration =
        Timer.builder("delivery.duration")
            .description("Duration of an attempt, from the choice of the host to the outcomes")
            .serviceLevelObjectives(Buckets.work())
            .register(meters);
    Gauge.builder("delivery.circuit.breaker.open", breakers, CircuitBreakers::openCount)
        .description("Next hops whose circuit breaker is open")
        .register(meters);
    Gauge.builder("delivery.dials", dials, DialBudget::running)
        .description("Attempts that open a connection now")
        .register(meters);
    Gauge.builder("delivery.in.progress", running, Number::doubleValue)
        .description("Attempts that run now")
        .register(meters);
  }

  public Destination destination(String domain) {
    return router.destination(domain);
  }

  /** The limits for mail to a domain, as far as its hosts have given them lately. */
  public Optional<NextHopLimits> knownLimits(String domain) {
    return limits.find(router.destination(domain));
  }

  /**
   * Asks for room for one attempt. An attempt that finds no idle connection has to dial; one of
   * several may miss in that guess, which costs nobody more than one dial.
   */
  public Admission admit(Destination destination) {
    long now = System.nanoTime();
    Admission[] answer = new Admission[1];
    limiters.compute( // so that a limiter is not forgotten before it counts the attempt
        destination,
        (d, known) -> {
          DestinationLimiter limiter = known == null ? new DestinationLimiter(d, now) : known;
          answer[0] = limiter.admit(now);
          boolean mustDial = d.localTarget() == null && !limiter.hasIdle();
          if (answer[0] instanceof Admission.Granted && mustDial) {
            if (dials.reserve(limiter.isLiving(now))) {
              limiter.reserveDial();
            } else {
              limiter.withdraw();
              answer[0] = new Admission.DialsBusy();
            }
          }
          return limiter;
        });
    if (answer[0] instanceof Admission.RateLimited) rateLimited.increment();
    return answer[0];
  }

  /** The number of dials that have ended so far. */
  public long dialsEnded() {
    return dials.ended();
  }

  /** Cuts dials that last too long, if attempts wait for room to dial; returns whether any do. */
  public boolean cutSlowDials() {
    return dials.cutSlow(System.nanoTime());
  }

  /** Sets what is called when there is room to dial again. */
  public void onRoom(Runnable action) {
    onRoom = action;
  }

  /** Ends the pause of a destination: the next attempt tries its hosts, paused or not. */
  public void requestTrial(Destination destination) {
    long now = System.nanoTime();
    limiters.compute(
        destination,
        (d, known) -> {
          DestinationLimiter limiter = known == null ? new DestinationLimiter(d, now) : known;
          limiter.requestTrial(now);
          return limiter;
        });
  }

  /** Ends the pauses of all destinations that are in use. */
  public void requestTrials() {
    limiters.keySet().forEach(this::requestTrial);
  }

  /** Sends to the destination by one session and at this rate for a time. */
  public void slowDown(Destination destination, RateLimit rate, Duration time, String rule) {
    DestinationLimiter limiter = limiters.get(destination);
    long now = System.nanoTime();
    if (limiter == null || !limiter.slowDown(rate, now, now + time.toNanos())) return;
    slowedDown.increment();
    LOG.warn(
        "event=destination_slowed_down destination=\"{}\" seconds={} rule={}",
        destination,
        time.toSeconds(),
        rule);
  }

  /** Returns the room that an admission granted, without an attempt. */
  public void cancel(Destination destination) {
    DestinationLimiter limiter = limiters.get(destination);
    if (limiter == null) return;
    if (limiter.takeReservedDial()) dials.cancel();
    limiter.release();
  }

  /** Begins the attempt that {@link Admission.Granted} allows. Closing it returns the room. */
  public DeliveryAttempt begin(Destination destination, DeliveryOrder order) {
    DestinationLimiter limiter = limiters.get(destination);
    if (limiter == null) throw new IllegalStateException("not admitted: " + destination);
    running.incrementAndGet();
    DialBudget.Permit permit = limiter.takeReservedDial() ? dials.begin() : dials.uncounted();
    return new DeliveryAttempt(this, destination, limiter, order, permit);
  }

  void attemptEnded(DestinationLimiter limiter, long startNanos) {
    limiter.release();
    running.decrementAndGet();
    duration.record(Duration.ofNanos(System.nanoTime() - startNanos));
  }

  /** Closes connections that were idle for too long and forgets unused destinations. */
  public void cleanUp() {
    long now = System.nanoTime();
    for (Destination destination : limiters.keySet()) {
      limiters.computeIfPresent(
          destination,
          (d, limiter) -> {
            quit(limiter.removeExpired(now, false));
            return limiter.isUnused(now, FORGET_UNUSED_AFTER) ? null : limiter;
          });
    }
    breakers.removeUnused(now);
  }

  /** Closes all idle connections; attempts must have ended before. */
  @Override
  public void close() {
    long now = System.nanoTime();
    for (DestinationLimiter limiter : limiters.values()) quit(limiter.removeExpired(now, true));
  }

  /** The number of attempts that run. */
  public int running() {
    return running.get();
  }

  public List<DestinationStats> stats() {
    long now = System.nanoTime();
    return limiters.entrySet().stream()
        .map(e -> e.getValue().stats(e.getKey().name(), now))
        .toList();
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

  /** The mail waits, and an operator must look: nothing goes out over this route. */
  void loginRefused(Destination destination, ServerEndpoint peer, String reason) {
    loginsRefused.increment();
    LOG.error(
        "event=login_refused destination=\"{}\" host={} user={} reason=\"{}\"",
        destination,
        peer,
        peer.login(),
        reason);
  }

  void connectionOpened(Destination destination, SmtpConnection connection) {
    opened.increment();
    limits.learn(destination, connection.limits());
  }

  /** QUIT waits for a reply, which must not delay the caller. */
  private static void quit(List<SmtpConnection> connections) {
    for (SmtpConnection connection : connections) {
      Thread.ofVirtual().name("quit").start(connection::quit);
    }
  }
}
