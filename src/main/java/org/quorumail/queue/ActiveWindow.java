package org.quorumail.queue;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.Admission;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.Destination;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool;

/**
 * The bounded part of the queue that is in memory: claims that are ready, running or backed off, by
 * destination, and the recipients that attempts have taken. Thread-safe. Times are nanoTime.
 *
 * <p>Each claim is in exactly one of the three states, and the counts equal the contents.
 */
final class ActiveWindow {
  /** Ready claims of one destination: enough for some seconds of a fast one. */
  static final int MAX_READY_PER_DESTINATION = 2000;

  /** Ready claims of all destinations; each takes some 200 bytes. */
  static final int MAX_READY = 10_000;

  /** Claims backed off after a failure of this node; above this the failure is another one. */
  private static final int MAX_BACKED_OFF = 10_000;

  private static final Duration DOTS_POLL = Duration.ofMillis(20);

  private final DeliveryAgent agent;
  private final int maxRunning;
  private final Map<Destination, DestinationQueue> destinations = new HashMap<>();
  private final Deque<DestinationQueue> rotation = new ArrayDeque<>(); // those with ready claims
  private final Set<DeliveryClaim> claimed = new HashSet<>();
  private final PriorityQueue<BackedOffClaim> backedOff =
      new PriorityQueue<>(Comparator.comparingLong(BackedOffClaim::untilNanos));
  private final Map<OwnedSpool, Integer> runningBySpool = new HashMap<>();
  private final Set<OwnedSpool> stopped = new HashSet<>();

  /**
   * The recipients in an attempt: no recipient is in two at once. Claims alone do not ensure that,
   * since two things can change while an attempt runs. An override gives a domain another
   * destination, and a new election of this node gives its spool another term.
   */
  private final Set<RecipientKey> takenRecipients = ConcurrentHashMap.newKeySet();

  /** Attempts whose final dot is out and whose outcomes are not committed. */
  private final AtomicInteger dots = new AtomicInteger();

  private volatile boolean dotsStopped;
  private boolean allStopped;
  private boolean backlogElsewhere; // of any destination that has no queue here
  private int ready;
  private int running;

  /** The claims of one destination. */
  private static final class DestinationQueue {
    final Destination destination;
    final Deque<DeliveryClaim> readyClaims = new ArrayDeque<>();
    boolean inRotation;
    boolean atLimit; // until one of its attempts ends
    boolean hasBacklog; // the index has due rows that found no slot here
    long notBeforeNanos;
    long refusedDials = -1; // the number of ended dials at which it was refused one
    int running;

    DestinationQueue(Destination destination, long now) {
      this.destination = destination;
      this.notBeforeNanos = now;
    }
  }

  private record BackedOffClaim(DeliveryClaim claim, long untilNanos) {}

  /** A recipient by its index in the message; the spool by name, since a term is another object. */
  record RecipientKey(String spool, QueueId id, int recipientIndex) {}

  /** The result of an offer. */
  enum OfferResult {
    ADDED,
    /** The claim is ready, running or backed off already, or its spool is stopped. */
    KNOWN,
    /** No slot: the index keeps the row, {@link #hasRoomForBacklog} says when to look again. */
    NO_SLOT
  }

  ActiveWindow(DeliveryAgent agent, int maxRunning) {
    this.agent = agent;
    this.maxRunning = maxRunning;
  }

  synchronized OfferResult offer(DeliveryClaim claim, long now) {
    if (isStopped(claim.spool()) || claimed.contains(claim)) return OfferResult.KNOWN;
    if (freeSlots(claim.destination(), now) == 0) {
      noteBacklog(claim.destination());
      return OfferResult.NO_SLOT;
    }
    DestinationQueue queue =
        destinations.computeIfAbsent(claim.destination(), d -> new DestinationQueue(d, now));
    claimed.add(claim);
    queue.readyClaims.addLast(claim);
    ready++;
    if (!queue.inRotation) {
      queue.inRotation = true;
      rotation.addLast(queue);
    }
    return OfferResult.ADDED;
  }

  /** The number of claims that a destination could take now. */
  synchronized int freeSlots(Destination destination, long now) {
    DestinationQueue queue = destinations.get(destination);
    return queue == null ? slotsPerDestination() : freeSlotsIn(queue, now);
  }

  private int freeSlotsIn(DestinationQueue queue, long now) {
    if (queue.notBeforeNanos - now > 0 && queue.readyClaims.isEmpty()) return 0;
    return Math.max(0, slotsPerDestination() - queue.readyClaims.size());
  }

  /** The slots of one destination: always fewer than are left, so every destination gets some. */
  private int slotsPerDestination() {
    int left = MAX_READY - ready;
    return left == 0 ? 0 : Math.min(MAX_READY_PER_DESTINATION, left / 5 + 1);
  }

  /** The number of claims of a destination: rows that a scan will meet again. */
  synchronized int claimCount(Destination destination) {
    DestinationQueue queue = destinations.get(destination);
    return queue == null ? 0 : queue.readyClaims.size() + queue.running;
  }

  /** Notes that the index has due rows for the destination that found no slot. */
  synchronized void noteBacklog(Destination destination) {
    DestinationQueue queue = destinations.get(destination);
    if (queue == null) backlogElsewhere = true;
    else queue.hasBacklog = true;
  }

  /** The number of destinations that have a queue. */
  synchronized int destinations() {
    return destinations.size();
  }

  /** The next claim, destination after destination. It has been admitted and counts as running. */
  synchronized Optional<DeliveryClaim> next(long now) {
    if (running >= maxRunning) return Optional.empty();
    for (int tried = rotation.size(); tried > 0; tried--) {
      DestinationQueue queue = rotation.pollFirst();
      if (queue == null) break;
      boolean waits =
          queue.atLimit
              || queue.notBeforeNanos - now > 0
              || queue.refusedDials == agent.dialsEnded();
      boolean empty = queue.readyClaims.isEmpty(); // its spool was stopped meanwhile
      boolean granted = !waits && !empty && isAdmitted(queue);
      if (granted) {
        DeliveryClaim claim = queue.readyClaims.removeFirst();
        ready--;
        countRunning(queue, claim);
        rejoinRotation(queue);
        return Optional.of(claim);
      }
      rejoinRotation(queue);
    }
    return Optional.empty();
  }

  private boolean isAdmitted(DestinationQueue queue) {
    return switch (agent.admit(queue.destination)) {
      case Admission.Granted g -> true;
      case Admission.Full f -> {
        // an attempt that just ends gives its room back before finish(): look again then
        queue.atLimit = queue.running > 0;
        yield false;
      }
      case Admission.DialsBusy d -> {
        queue.refusedDials = agent.dialsEnded();
        yield false;
      }
      case Admission.RateLimited r -> {
        queue.notBeforeNanos = r.until();
        yield false;
      }
      case Admission.CircuitOpen c -> {
        queue.notBeforeNanos = c.until();
        forget(queue, claim -> true);
        queue.hasBacklog = true;
        yield false;
      }
    };
  }

  private void rejoinRotation(DestinationQueue queue) {
    queue.inRotation = !queue.readyClaims.isEmpty();
    if (queue.inRotation) rotation.addLast(queue);
  }

  private void countRunning(DestinationQueue queue, DeliveryClaim claim) {
    running++;
    queue.running++;
    runningBySpool.merge(claim.spool(), 1, Integer::sum);
  }

  /** Begins a task that needs no room at its destination; false when the claim is known. */
  synchronized boolean beginUnadmitted(DeliveryClaim claim, long now) {
    if (running >= maxRunning || isStopped(claim.spool()) || !claimed.add(claim)) return false;
    countRunning(
        destinations.computeIfAbsent(claim.destination(), d -> new DestinationQueue(d, now)),
        claim);
    return true;
  }

  /** Ends a running claim, and keeps it from being taken up again for the time of the backoff. */
  synchronized void finish(DeliveryClaim claim, Duration backoff, long now) {
    DestinationQueue queue = destinations.get(claim.destination());
    if (queue == null || queue.running == 0 || !claimed.contains(claim)) {
      throw new IllegalStateException("a claim ended that did not run: " + claim.id());
    }
    running--;
    runningBySpool.computeIfPresent(claim.spool(), (s, n) -> n == 1 ? null : n - 1);
    queue.running--;
    queue.atLimit = false;
    queue.refusedDials = -1; // it may have an idle connection now
    if (isIdle(queue, now)) destinations.remove(claim.destination());
    if (backoff.isZero() || backedOff.size() >= MAX_BACKED_OFF) claimed.remove(claim);
    else backedOff.add(new BackedOffClaim(claim, now + backoff.toNanos()));
    assert countsMatchContents();
    notifyAll();
  }

  /** Takes a recipient for one attempt; false when another attempt has it. */
  boolean takeRecipient(RecipientKey key) {
    return takenRecipients.add(key);
  }

  void releaseRecipient(RecipientKey key) {
    if (!takenRecipients.remove(key)) {
      throw new IllegalStateException("a recipient was released that no attempt had: " + key);
    }
  }

  private boolean countsMatchContents() {
    int readySum = 0;
    int runningSum = 0;
    for (DestinationQueue queue : destinations.values()) {
      readySum += queue.readyClaims.size();
      runningSum += queue.running;
    }
    int bySpool = runningBySpool.values().stream().mapToInt(n -> n).sum();
    return ready == readySum
        && running == runningSum
        && running == bySpool
        && claimed.size() == ready + running + backedOff.size();
  }

  private static boolean isIdle(DestinationQueue queue, long now) {
    return queue.running == 0
        && queue.readyClaims.isEmpty()
        && !queue.hasBacklog
        && queue.notBeforeNanos - now <= 0;
  }

  /** Forgets the claims whose backoff is over; true when there were any. */
  synchronized boolean endBackoffs(long now) {
    boolean any = false;
    while (!backedOff.isEmpty() && backedOff.peek().untilNanos - now <= 0) {
      claimed.remove(backedOff.remove().claim);
      any = true;
    }
    return any;
  }

  /** Returns whether a destination has room for claims that are due and were left in the index. */
  synchronized boolean hasRoomForBacklog(long now) {
    if (ready >= MAX_READY) return false;
    if (backlogElsewhere && ready < MAX_READY / 2) return true;
    for (DestinationQueue queue : destinations.values()) {
      boolean low = queue.readyClaims.size() < slotsPerDestination() / 4 + 1;
      if (queue.hasBacklog && low && queue.notBeforeNanos - now <= 0) return true;
    }
    return false;
  }

  /** Begins a sweep, which notes every backlog again. */
  synchronized void beginSweep(long now) {
    backlogElsewhere = false;
    for (DestinationQueue queue : destinations.values()) queue.hasBacklog = false;
    destinations.values().removeIf(queue -> isIdle(queue, now));
  }

  /** Nanoseconds until a delayed destination, or a claim that is backed off, may start again. */
  synchronized long nanosUntilNextStart(long now) {
    long least = Long.MAX_VALUE;
    for (DestinationQueue queue : destinations.values()) {
      boolean hasMail = queue.hasBacklog || !queue.readyClaims.isEmpty();
      long delay = queue.notBeforeNanos - now;
      if (hasMail && delay > 0) least = Math.min(least, delay);
    }
    if (!backedOff.isEmpty()) {
      least = Math.min(least, Math.max(0, backedOff.peek().untilNanos - now));
    }
    return least;
  }

  /** Lets attempts start that wait for the trial of a paused host, or for a rate. */
  synchronized void endPause(Destination destination, long now) {
    DestinationQueue queue = destinations.get(destination);
    if (queue != null && queue.notBeforeNanos - now > 0) queue.notBeforeNanos = now;
  }

  /** Ends the pauses of all destinations. */
  synchronized void endPauses(long now) {
    for (Destination destination : destinations.keySet()) endPause(destination, now);
  }

  /** Returns whether nothing may start for the destination at the moment. */
  synchronized boolean isDelayed(Destination destination, long now) {
    DestinationQueue queue = destinations.get(destination);
    return queue != null && queue.notBeforeNanos - now > 0;
  }

  /**
   * Stops a spool: no claim of it starts any more, ready claims are forgotten, running ones go on.
   * The same lock counts the running claims, so after {@link #awaitIdle} none can slip through.
   */
  synchronized void stop(OwnedSpool spool) {
    stopped.add(spool);
    for (DestinationQueue queue : destinations.values()) {
      forget(queue, claim -> claim.spool() == spool);
    }
    assert countsMatchContents();
  }

  synchronized void stopAll() {
    allStopped = true;
    for (DestinationQueue queue : destinations.values()) forget(queue, claim -> true);
  }

  /** Ends {@link #stopAll} and {@link #stopDots}; a spool that was stopped by itself stays so. */
  synchronized void resumeAll() {
    allStopped = false;
    dotsStopped = false;
  }

  /** Lets no attempt send a final dot any more; those that have sent it go on. */
  void stopDots() {
    dotsStopped = true;
  }

  /**
   * Counts an attempt whose final dot is sent now; false when none may be sent. Counted before the
   * check: after {@link #stopDots}, once {@link #dots} is 0 none is out and none can follow.
   */
  boolean beginDot() {
    dots.incrementAndGet();
    if (!dotsStopped) return true;
    dots.decrementAndGet();
    return false;
  }

  void endDot() {
    dots.decrementAndGet();
  }

  /** Waits until no final dot is out; returns how many are after the timeout. */
  int awaitDots(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (dots.get() > 0 && System.nanoTime() - deadline < 0) Thread.sleep(DOTS_POLL);
    return dots.get();
  }

  int dots() {
    return dots.get();
  }

  /** Ends a stop; also of a spool that this node no longer owns, so that it leaves memory. */
  synchronized void resume(OwnedSpool spool) {
    stopped.remove(spool);
  }

  synchronized boolean isStopped(OwnedSpool spool) {
    return allStopped || stopped.contains(spool);
  }

  /** Forgets the ready claims of a spool that this node no longer owns. */
  synchronized void forgetSpool(OwnedSpool spool) {
    stop(spool);
    resume(spool);
  }

  private void forget(DestinationQueue queue, Predicate<DeliveryClaim> which) {
    int before = queue.readyClaims.size();
    queue.readyClaims.removeIf(
        claim -> {
          if (!which.test(claim)) return false;
          claimed.remove(claim);
          return true;
        });
    ready -= before - queue.readyClaims.size();
  }

  /**
   * Waits until no claim of the spool runs, in whichever term it began, or none at all when it is
   * null. An attempt of a former term of this node commits its outcomes in the present one.
   */
  synchronized boolean awaitIdle(@Nullable OwnedSpool spool, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    try {
      while (runningOf(spool) > 0) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0) return false;
        wait(left);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private int runningOf(@Nullable OwnedSpool spool) {
    if (spool == null) return running;
    return runningBySpool.entrySet().stream()
        .filter(e -> e.getKey().name().equals(spool.name()))
        .mapToInt(Map.Entry::getValue)
        .sum();
  }

  synchronized int running() {
    return running;
  }

  synchronized int ready() {
    return ready;
  }
}
