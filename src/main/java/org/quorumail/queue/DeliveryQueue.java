package org.quorumail.queue;

import io.micrometer.core.instrument.Gauge;
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
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.DeliveryConfig;
import org.quorumail.delivery.Destination;
import org.quorumail.dsn.DsnComposer;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnershipListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The schedule over the spools that this node owns. One dispatcher thread takes hints of new mail
 * and sweeps the due indexes for the rest. It starts attempts wherever there is room, one
 * destination after the other.
 */
public final class DeliveryQueue implements OwnershipListener, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DeliveryQueue.class);

  /** Hints that wait for the dispatcher; a sweep finds the mail of those that do not fit. */
  private static final int MAX_HINTS = 10_000;

  /** While attempts wait for room to dial; slow dials are cut then. */
  private static final long DIALS_INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  private static final long CLEANUP_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final Duration OVERDUE_CHECK_INTERVAL = Duration.ofMinutes(1);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1); // of close, after drain

  private final DeliveryAgent agent;
  private final DeliveryTask.TaskContext taskContext;
  private final ActiveWindow window;
  private final DueScan dueScan;
  private final SuspendedDomains suspendedDomains;
  private final FailureActions actions;
  private final OperatorBounces bounces;
  private final RetrySchedule schedule;
  private final InstantSource time;
  private final ClockStepDetector clockSteps;
  private final SweepTimer sweepTimer;
  private final Map<String, OwnedSpool> owned = new ConcurrentHashMap<>();
  private final ArrayBlockingQueue<DueHint> hints = new ArrayBlockingQueue<>(MAX_HINTS);
  private final Semaphore wake = new Semaphore(0);
  private final Thread dispatcher;
  private volatile boolean closed;
  private volatile long lastStepNanos = System.nanoTime();
  private volatile DueScan.ScanResult lastScan = DueScan.ScanResult.EMPTY;

  private final boolean hasDeliverRole;

  /** Used by the dispatcher alone; nanoTime. */
  private long lastCleanupNanos;

  private boolean attemptsWaitForDials;

  private Instant lastOverdueCheck;
  private String sweepAfter = "";

  /**
   * @param retried whether an operator wants an attempt now
   */
  private record DueHint(OwnedSpool spool, QueueId id, List<String> domains, boolean retried) {}

  private DeliveryQueue(
      DeliveryAgent agent,
      DeliveryConfig config,
      DsnComposer dsns,
      boolean hasDeliverRole,
      MeterRegistry meters,
      InstantSource time,
      LongSupplier nanos) {
    this.agent = agent;
    this.time = time;
    clockSteps = new ClockStepDetector(time, nanos);
    this.hasDeliverRole = hasDeliverRole;
    RandomGenerator random = () -> ThreadLocalRandom.current().nextLong();
    schedule = new RetrySchedule(config, random, clockSteps::clocksAgree);
    window = new ActiveWindow(agent, config.maxConcurrentDeliveries());
    suspendedDomains = new SuspendedDomains(time);
    actions = new FailureActions(agent, suspendedDomains::contains, time);
    OutcomeRecorder recorder =
        new OutcomeRecorder(
            schedule, dsns, meters, time, text -> classifier().classify(text).failureClass());
    bounces = new OperatorBounces(window, recorder);
    taskContext = new DeliveryTask.TaskContext(agent, window, schedule, recorder, actions, time);
    dueScan = new DueScan(agent, window, suspendedDomains::contains, schedule);
    sweepTimer = new SweepTimer(config, time);
    lastCleanupNanos = System.nanoTime();
    lastOverdueCheck = time.instant();
    queueSize(meters, window, "in-progress", ActiveWindow::running);
    queueSize(meters, window, "ready", ActiveWindow::ready);
    agent.onRoom(wake::release);
    dispatcher = Thread.ofPlatform().name("delivery-queue").daemon().unstarted(this::dispatch);
  }

  /**
   * Starts the dispatcher. It idles until a spool is owned, and always in a node without the role
   * to deliver.
   */
  public static DeliveryQueue start(
      DeliveryAgent agent,
      DeliveryConfig config,
      DsnComposer dsns,
      boolean hasDeliverRole,
      MeterRegistry meters,
      InstantSource time) {
    return start(agent, config, dsns, hasDeliverRole, meters, time, System::nanoTime);
  }

  /** Starts with a monotonic clock of its own, for tests that let time pass. */
  static DeliveryQueue start(
      DeliveryAgent agent,
      DeliveryConfig config,
      DsnComposer dsns,
      boolean hasDeliverRole,
      MeterRegistry meters,
      InstantSource time,
      LongSupplier nanos) {
    DeliveryQueue queue =
        new DeliveryQueue(agent, config, dsns, hasDeliverRole, meters, time, nanos);
    queue.dispatcher.start();
    return queue;
  }

  private static void queueSize(
      MeterRegistry meters,
      ActiveWindow window,
      String status,
      ToDoubleFunction<ActiveWindow> size) {
    Gauge.builder("delivery.queue.size", window, size)
        .tag("status", status)
        .description("Messages in the spools that this node leads")
        .register(meters);
  }

  @Override
  public void spoolOwned(OwnedSpool spool) {
    if (!hasDeliverRole) return;
    owned.put(spool.name(), spool);
    requestSweep();
  }

  @Override
  public void spoolLost(OwnedSpool spool) {
    owned.remove(spool.name(), spool);
    window.forgetSpool(spool);
  }

  @Override
  public void messageDue(OwnedSpool spool, QueueId id, List<String> domains) {
    addHint(new DueHint(spool, id, domains, false));
  }

  @Override
  public void messageRetried(OwnedSpool spool, QueueId id, List<String> domains) {
    addHint(new DueHint(spool, id, domains, true));
  }

  private void addHint(DueHint hint) {
    if (!hasDeliverRole) return;
    if (!hints.offer(hint)) sweepTimer.requestSweep();
    wake.release();
  }

  /** Tries all mail that is due, now, also where hosts are paused. */
  public void sweepNow() {
    agent.requestTrials();
    window.endPauses(System.nanoTime());
    requestSweep();
  }

  /** Uses the retry schedule of another configuration from the next outcome on. */
  public void replaceSchedule(DeliveryConfig next) {
    schedule.replace(next);
  }

  /** Bounces a message of a spool that this node owns. Blocks until a quorum has it. */
  public BounceResult bounce(QueueId id, OperatorCommand.Bounce order) {
    for (OwnedSpool spool : owned.values()) {
      BounceResult result = bounces.bounce(spool, id, order);
      if (result != BounceResult.NOT_OWNED) return result;
    }
    return BounceResult.NOT_OWNED;
  }

  /** Uses other rules from the next outcome on. */
  public void replaceClassifier(FailureClassifier next) {
    actions.replaceClassifier(next);
  }

  /** The rules in force. */
  public FailureClassifier classifier() {
    return actions.classifier();
  }

  /** Gives the suspensions that rules ask for to the cluster; called on a thread of its own. */
  public void onSuspensionRequest(Consumer<SuspensionRequest> suspend) {
    actions.onSuspensionRequest(suspend);
  }

  /**
   * Stops deliveries to these domains until a time each; those to all others go on at once.
   *
   * @param until by domain in lower case
   */
  public void replaceSuspensions(Map<String, Instant> until) {
    if (suspendedDomains.replaceAll(until)) requestSweep();
  }

  public boolean isSuspended(String domain) {
    return suspendedDomains.contains(domain.toLowerCase(Locale.ROOT));
  }

  /** Starts no more attempts and waits for the running ones; false when some run still. */
  public boolean drain(Duration timeout) {
    window.stopAll();
    return window.awaitIdle(null, timeout);
  }

  /** Starts no more attempts until {@link #resumeAll}; running ones go on. */
  public void stopAll() {
    window.stopAll();
  }

  /**
   * Lets no running attempt send a final dot any more, until {@link #resumeAll}. Only for attempts
   * that a drain does not wait for: their recipients are tried again.
   */
  public void stopDots() {
    window.stopDots();
  }

  /**
   * Stops the final dots after a drain that took too long, and waits for the outcomes of those that
   * are out. Returns how many attempts are in doubt still.
   */
  public int cutOff(Duration timeout) throws InterruptedException {
    window.stopDots();
    return window.awaitDots(timeout);
  }

  /** Starts attempts again after {@link #stopAll}. */
  public void resumeAll() {
    window.resumeAll();
    requestSweep();
  }

  /** The number of running attempts. */
  public int running() {
    return window.running();
  }

  /** Attempts whose final dot is out and whose outcomes are not committed. */
  public int inDoubt() {
    return window.dots();
  }

  /** Drains one spool, before it is handed over. */
  public boolean drain(OwnedSpool spool, Duration timeout) {
    window.stop(spool);
    return window.awaitIdle(spool, timeout);
  }

  /** Takes up a drained spool again, when its hand-over did not happen. */
  public void resume(OwnedSpool spool) {
    window.resume(spool);
    requestSweep();
  }

  public QueueStats stats() {
    DueScan.ScanResult last = lastScan;
    long oldest = last.oldestDueMillis();
    long waiting = oldest == Long.MAX_VALUE ? 0 : Math.max(0, time.millis() - oldest);
    return new QueueStats(
        window.running(),
        window.ready(),
        last.domains(),
        Duration.ofMillis(waiting),
        agent.stats());
  }

  /** Stops, without a long wait for running attempts: call {@link #drain(Duration)} before. */
  @Override
  public void close() {
    closed = true;
    drain(CLOSE_TIMEOUT);
    wake.release();
    try {
      dispatcher.join(CLOSE_TIMEOUT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    agent.close();
  }

  /**
   * Returns whether the dispatcher has run a step lately; it never pauses for more than a second.
   */
  public boolean isProgressing(Duration timeout) {
    return dispatcher.isAlive() && System.nanoTime() - lastStepNanos < timeout.toNanos();
  }

  /** The distance of the wall clock from where it should be; zero while nobody has set it. */
  public Duration clockStep() {
    return clockSteps.step();
  }

  private void requestSweep() {
    sweepTimer.requestSweep();
    wake.release();
  }

  private void dispatch() {
    while (!closed) {
      try {
        step();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) { // a fault of one spool must not stop the others' mail
        LOG.error("event=dispatch_fault reason=\"{}\"", e.toString(), e);
        LockSupport.parkNanos(CLEANUP_INTERVAL_NANOS); // the next step may fail too
      }
    }
  }

  private void step() throws InterruptedException {
    lastStepNanos = System.nanoTime();
    if (wake.tryAcquire(nanosUntilNextStep(), TimeUnit.NANOSECONDS)) wake.drainPermits();
    clockSteps.step();
    takeHints();
    long now = System.nanoTime();
    if (window.endBackoffs(now)) sweepTimer.requestSweep();
    if (sweepTimer.isSweepDue(now, window.hasRoomForBacklog(now))) sweepAll(now);
    attemptsWaitForDials = agent.cutSlowDials();
    startAttempts();
    if (now - lastCleanupNanos >= CLEANUP_INTERVAL_NANOS) {
      lastCleanupNanos = now;
      agent.cleanUp();
    }
  }

  /** The time in which nothing can become due unless another thread wakes the dispatcher. */
  private long nanosUntilNextStep() {
    long now = System.nanoTime();
    long pause =
        Math.min(
            CLEANUP_INTERVAL_NANOS, sweepTimer.nanosUntilSweep(now, window.hasRoomForBacklog(now)));
    if (attemptsWaitForDials) pause = Math.min(pause, DIALS_INTERVAL_NANOS);
    return Math.max(0, Math.min(pause, window.nanosUntilNextStart(now)));
  }

  private void takeHints() {
    for (int i = 0; i < MAX_HINTS; i++) {
      DueHint hint = hints.poll();
      if (hint == null) return;
      if (!mayStart(hint.spool)) continue;
      for (String domain : hint.domains) {
        if (suspendedDomains.contains(domain)) continue;
        Destination destination = agent.destination(domain);
        if (hint.retried) endPause(destination);
        window.offer(new DeliveryClaim(hint.spool, hint.id, destination), System.nanoTime());
      }
    }
  }

  /** One attempt tries the hosts again; its result decides for the others. */
  private void endPause(Destination destination) {
    agent.requestTrial(destination);
    window.endPause(destination, System.nanoTime());
    sweepTimer.requestSweep();
  }

  private boolean mayStart(OwnedSpool spool) {
    return owned.get(spool.name()) == spool && !window.isStopped(spool);
  }

  private void sweepAll(long now) {
    sweepTimer.sweepStarted();
    boolean checkOverdue = isOverdueCheckDue(time.instant());
    window.beginSweep(now);
    DueScan.ScanResult all = DueScan.ScanResult.EMPTY;
    for (OwnedSpool spool : owned.values()) {
      if (!mayStart(spool)) continue;
      if (spool.mayDeliver()) all = all.merge(sweepOne(spool, checkOverdue));
      else sweepTimer.requestSweep(); // the lease will be renewed, or the spool lost
    }
    lastScan = all;
    sweepTimer.noteDueTime(all.nextDueMillis());
    // where slots ran out, the next sweep begins behind the domain that got the last ones
    sweepAfter = window.ready() >= ActiveWindow.MAX_READY ? all.lastFilledDomain() : "";
    sweepTimer.sweepFinished(now);
  }

  /** True also after a clock that was ahead is put right: its next minute may be years away. */
  private boolean isOverdueCheckDue(Instant present) {
    boolean waits =
        present.isBefore(lastOverdueCheck.plus(OVERDUE_CHECK_INTERVAL))
            && !present.isBefore(lastOverdueCheck);
    if (!waits) lastOverdueCheck = present;
    return !waits;
  }

  private DueScan.ScanResult sweepOne(OwnedSpool spool, boolean checkOverdue) {
    Instant now = time.instant();
    try {
      if (checkOverdue && clockSteps.hasSteppedBack()) dueScan.offerMisdated(spool, now);
      return dueScan.scan(spool, sweepAfter, now, checkOverdue ? this::startOverdue : claim -> {});
    } catch (RuntimeException e) { // the spool is closed when this node has just lost it
      if (mayStart(spool) && spool.mayDeliver()) {
        LOG.error("event=sweep_failed spool={} reason=\"{}\"", spool.name(), e.toString());
      }
      return DueScan.ScanResult.EMPTY;
    }
  }

  private void startAttempts() {
    Optional<DeliveryClaim> claim = window.next(System.nanoTime());
    while (claim.isPresent()) {
      start(claim.get(), false);
      claim = window.next(System.nanoTime());
    }
  }

  private void startOverdue(DeliveryClaim claim) {
    if (window.beginUnadmitted(claim, System.nanoTime())) start(claim, true);
  }

  private void start(DeliveryClaim claim, boolean overdue) {
    Thread.ofVirtual().name("attempt-" + claim.id()).start(() -> run(claim, overdue));
  }

  private void run(DeliveryClaim claim, boolean overdue) {
    Duration backoff = Duration.ZERO;
    try {
      DeliveryTask task = new DeliveryTask(taskContext, claim);
      backoff = overdue ? task.reportOverdue() : task.run();
      sweepTimer.noteDueTime(task.nextDueMillis());
    } finally {
      window.finish(claim, backoff, System.nanoTime());
      wake.release();
    }
  }
}
