package org.quorumail.queue;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.quorumail.config.Config;
import org.quorumail.delivery.Deliveries;
import org.quorumail.dsn.StatusNotification;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnershipListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers what is due in the spools that this node owns. One dispatcher thread takes hints of new
 * mail, sweeps the due indexes for the rest, and starts an attempt wherever there is room, one
 * destination after the other.
 */
public final class DeliveryQueue implements OwnershipListener, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DeliveryQueue.class);

  /** Hints not looked at yet; one that finds no place is found by a sweep instead. */
  private static final int MAX_HINTS = 10_000;

  private static final long TIDY_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Duration AGED_EVERY = Duration.ofMinutes(1);
  private static final Duration LAST_PATIENCE = Duration.ofSeconds(1); // of close, after drain

  private final Deliveries deliveries;
  private final DeliveryTask.Shared shared;
  private final ActiveWindow window;
  private final Sweep sweep;
  private final Suspensions suspensions;
  private final InstantSource time;
  private final Rhythm rhythm;
  private final Map<String, OwnedSpool> owned = new ConcurrentHashMap<>();
  private final ArrayBlockingQueue<Hint> hints = new ArrayBlockingQueue<>(MAX_HINTS);
  private final Semaphore wake = new Semaphore(0);
  private final Thread dispatcher;
  private volatile boolean closed;
  private volatile long steppedAt = System.nanoTime();
  private volatile Sweep.Seen seen = Sweep.Seen.NOTHING;

  private final boolean delivers;

  /** Of the dispatcher alone; nanoTime. */
  private long tidiedAt;

  private Instant agedAt;
  private String sweepAfter = "";

  private record Hint(OwnedSpool spool, QueueId id, List<String> domains) {}

  /**
   * Starts the dispatcher; it idles until a spool is owned, and for ever in a node without the role
   * to deliver.
   */
  public DeliveryQueue(
      Config config, Deliveries deliveries, MeterRegistry meters, InstantSource time) {
    this.deliveries = deliveries;
    this.time = time;
    delivers = config.roles().contains(Config.Role.DELIVER);
    RetrySchedule schedule = new RetrySchedule(config.delivery(), ThreadLocalRandomDice.DICE);
    shared =
        new DeliveryTask.Shared(
            deliveries,
            schedule,
            new StatusNotification(config),
            new QueueMeters(meters),
            time,
            new Underway());
    window = new ActiveWindow(deliveries, config.delivery().maxConcurrentDeliveries());
    suspensions = new Suspensions(time);
    sweep = new Sweep(deliveries, window, suspensions::contains, schedule);
    rhythm = new Rhythm(config.delivery(), time);
    tidiedAt = System.nanoTime();
    agedAt = time.instant();
    meters.gauge(
        "delivery.queue.size", List.of(status("in-progress")), window, ActiveWindow::running);
    meters.gauge("delivery.queue.size", List.of(status("ready")), window, ActiveWindow::ready);
    dispatcher = Thread.ofPlatform().name("delivery-queue").daemon().start(this::dispatch);
  }

  private static io.micrometer.core.instrument.Tag status(String status) {
    return io.micrometer.core.instrument.Tag.of("status", status);
  }

  @Override
  public void owned(OwnedSpool spool) {
    if (!delivers) return;
    owned.put(spool.name(), spool);
    sweepSoon();
  }

  @Override
  public void lost(OwnedSpool spool) {
    owned.remove(spool.name(), spool);
    window.lost(spool);
  }

  @Override
  public void due(OwnedSpool spool, QueueId id, List<String> domains) {
    if (!delivers) return;
    if (!hints.offer(new Hint(spool, id, domains))) rhythm.want();
    wake.release();
  }

  /** Tries all that is due, now. */
  public void processNow() {
    sweepSoon();
  }

  /** Leaves a domain's mail alone for a while; false when too many are suspended already. */
  public boolean suspend(String domain, Duration howLong) {
    return suspensions.add(domain.toLowerCase(Locale.ROOT), howLong);
  }

  /** False when the domain was not suspended. */
  public boolean resume(String domain) {
    boolean was = suspensions.remove(domain.toLowerCase(Locale.ROOT));
    sweepSoon();
    return was;
  }

  public boolean isSuspended(String domain) {
    return suspensions.contains(domain.toLowerCase(Locale.ROOT));
  }

  /** Starts no more attempts and waits for those that run; false when some still do. */
  public boolean drain(Duration patience) {
    window.stopAll();
    return window.awaitQuiet(null, patience);
  }

  /** As {@link #drain(Duration)} for one spool, before it is handed over. */
  public boolean drain(OwnedSpool spool, Duration patience) {
    window.stop(spool);
    return window.awaitQuiet(spool, patience);
  }

  /** Takes up a drained spool again: the hand-over did not happen. */
  public void resume(OwnedSpool spool) {
    window.resume(spool);
    sweepSoon();
  }

  public QueueStats stats() {
    Sweep.Seen last = seen;
    long oldest = last.oldestDueMillis();
    long waiting = oldest == Long.MAX_VALUE ? 0 : Math.max(0, time.millis() - oldest);
    return new QueueStats(
        window.running(),
        window.ready(),
        last.domains(),
        Duration.ofMillis(waiting),
        deliveries.stats(),
        suspensions.left());
  }

  /** Stops. What runs is not waited for long: call {@link #drain(Duration)} before. */
  @Override
  public void close() {
    closed = true;
    drain(LAST_PATIENCE);
    wake.release();
    try {
      dispatcher.join(LAST_PATIENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    deliveries.close();
  }

  /** Whether the dispatcher runs and has come round lately; it never pauses for a second. */
  public boolean progresses(Duration patience) {
    return dispatcher.isAlive() && System.nanoTime() - steppedAt < patience.toNanos();
  }

  private void sweepSoon() {
    rhythm.want();
    wake.release();
  }

  private void dispatch() {
    while (!closed) {
      try {
        step();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) { // one bad moment of a spool must not stop the others' mail
        log.error("event=dispatch_fault reason=\"{}\"", e.toString(), e);
        LockSupport.parkNanos(TIDY_NANOS); // it may be there at the next step too
      }
    }
  }

  private void step() throws InterruptedException {
    steppedAt = System.nanoTime();
    if (wake.tryAcquire(pause(), TimeUnit.NANOSECONDS)) wake.drainPermits();
    takeHints();
    long now = System.nanoTime();
    if (window.endRests(now)) rhythm.want();
    if (rhythm.isTime(now, window.hungry(now))) sweepAll(now);
    startAttempts();
    if (now - tidiedAt >= TIDY_NANOS) {
      tidiedAt = now;
      deliveries.tidy();
    }
  }

  /** How long nothing can happen unless somebody wakes us. */
  private long pause() {
    long now = System.nanoTime();
    long pause = Math.min(TIDY_NANOS, rhythm.pause(now, window.hungry(now)));
    return Math.max(0, Math.min(pause, window.untilNextLane(now)));
  }

  private void takeHints() {
    for (int i = 0; i < MAX_HINTS; i++) {
      Hint hint = hints.poll();
      if (hint == null) return;
      if (!mayStart(hint.spool)) continue;
      for (String domain : hint.domains) {
        if (suspensions.contains(domain)) continue;
        Claim claim = new Claim(hint.spool, hint.id, deliveries.destination(domain));
        window.offer(claim, System.nanoTime());
      }
    }
  }

  private boolean mayStart(OwnedSpool spool) {
    return owned.get(spool.name()) == spool && !window.isStopped(spool);
  }

  private void sweepAll(long now) {
    rhythm.begin();
    boolean lookForAged = isTimeForAged(time.instant());
    window.sweepBegins(now);
    Sweep.Seen all = Sweep.Seen.NOTHING;
    for (OwnedSpool spool : owned.values()) {
      if (!mayStart(spool)) continue;
      if (spool.mayDeliver()) all = all.with(sweepOne(spool, lookForAged));
      else rhythm.want(); // the lease will be renewed, or the spool lost
    }
    seen = all;
    rhythm.dueAt(all.nextDueMillis());
    // where places ran out, the next sweep begins behind those who got the last ones
    sweepAfter = window.ready() >= ActiveWindow.MAX_READY ? all.lastFilled() : "";
    rhythm.end(now);
  }

  /** Also when a clock that was ahead has been put right: its next minute may be years away. */
  private boolean isTimeForAged(Instant present) {
    boolean waits = present.isBefore(agedAt.plus(AGED_EVERY)) && !present.isBefore(agedAt);
    if (!waits) agedAt = present;
    return !waits;
  }

  private Sweep.Seen sweepOne(OwnedSpool spool, boolean lookForAged) {
    Instant now = time.instant();
    try {
      return sweep.over(spool, sweepAfter, now, lookForAged ? this::startAged : claim -> {});
    } catch (RuntimeException e) { // it is closed when the node has just lost it
      if (mayStart(spool) && spool.mayDeliver()) {
        log.error("event=sweep_failed spool={} reason=\"{}\"", spool.name(), e.toString());
      }
      return Sweep.Seen.NOTHING;
    }
  }

  private void startAttempts() {
    Optional<Claim> claim = window.next(System.nanoTime());
    while (claim.isPresent()) {
      start(claim.get(), false);
      claim = window.next(System.nanoTime());
    }
  }

  private void startAged(Claim claim) {
    if (window.beginOutside(claim, System.nanoTime())) start(claim, true);
  }

  private void start(Claim claim, boolean aged) {
    Thread.ofVirtual().name("attempt-" + claim.id()).start(() -> run(claim, aged));
  }

  private void run(Claim claim, boolean aged) {
    Duration rest = Duration.ZERO;
    try {
      DeliveryTask task = new DeliveryTask(shared, claim);
      rest = aged ? task.runWithoutAttempt() : task.run();
      rhythm.dueAt(task.nextDueMillis());
    } finally {
      window.ended(claim, rest, System.nanoTime());
      wake.release();
    }
  }

  /** The generator of whichever thread asks. */
  private static final class ThreadLocalRandomDice implements java.util.random.RandomGenerator {
    static final ThreadLocalRandomDice DICE = new ThreadLocalRandomDice();

    @Override
    public long nextLong() {
      return ThreadLocalRandom.current().nextLong();
    }
  }
}
