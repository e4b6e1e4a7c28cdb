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
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.Admission;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.Destination;
import org.quorumail.spool.OwnedSpool;

/**
 * The part of the queue that is in memory: claims that wait, run or rest, by destination. Bounded
 * whatever the spools hold. Thread-safe. Times are nanoTime.
 */
final class ActiveWindow {
  /** Claims of one destination that wait: some seconds' worth of a fast one. */
  static final int MAX_READY_PER_DESTINATION = 2000;

  /** Claims that wait in all; each takes some 200 bytes. */
  static final int MAX_READY = 10_000;

  /** Claims that rest after trouble of our own; more than that is trouble of another kind. */
  private static final int MAX_BACKED_OFF = 10_000;

  private final DeliveryAgent deliveries;
  private final int maxRunning;
  private final Map<Destination, DestinationQueue> destinations = new HashMap<>();
  private final Deque<DestinationQueue> rotation =
      new ArrayDeque<>(); // the lanes in which claims wait
  private final Set<DeliveryClaim> claimed = new HashSet<>();
  private final PriorityQueue<BackedOffClaim> backedOff =
      new PriorityQueue<>(Comparator.comparingLong(BackedOffClaim::untilNanos));
  private final Map<OwnedSpool, Integer> runningBySpool = new HashMap<>();
  private final Set<OwnedSpool> stopped = new HashSet<>();
  private boolean allStopped;
  private boolean backlogElsewhere; // as Lane.more, of any destination that has no lane
  private int ready;
  private int running;

  /** The claims of one destination. */
  private static final class DestinationQueue {
    final Destination destination;
    final Deque<DeliveryClaim> readyClaims = new ArrayDeque<>();
    boolean inRotation;
    boolean atLimit; // until one of its attempts ends
    boolean hasBacklog; // the index has due rows that found no place here
    long notBeforeNanos;
    int running;

    DestinationQueue(Destination destination, long now) {
      this.destination = destination;
      this.notBeforeNanos = now;
    }
  }

  private record BackedOffClaim(DeliveryClaim claim, long untilNanos) {}

  /** What became of an offer. */
  enum OfferResult {
    ADDED,
    /** It waits, runs or rests already, or nothing of its spool may start. */
    KNOWN,
    /** No place: the index keeps it, {@link #hasRoomForBacklog} tells when to look again. */
    NO_SLOT
  }

  ActiveWindow(DeliveryAgent deliveries, int maxRunning) {
    this.deliveries = deliveries;
    this.maxRunning = maxRunning;
  }

  synchronized OfferResult offer(DeliveryClaim claim, long now) {
    if (isStopped(claim.spool()) || claimed.contains(claim)) return OfferResult.KNOWN;
    if (freeSlots(claim.destination(), now) == 0) {
      noteBacklog(claim.destination());
      return OfferResult.NO_SLOT;
    }
    DestinationQueue lane =
        destinations.computeIfAbsent(claim.destination(), d -> new DestinationQueue(d, now));
    claimed.add(claim);
    lane.readyClaims.addLast(claim);
    ready++;
    if (!lane.inRotation) {
      lane.inRotation = true;
      rotation.addLast(lane);
    }
    return OfferResult.ADDED;
  }

  /** How many more claims a destination could take now. */
  synchronized int freeSlots(Destination destination, long now) {
    DestinationQueue lane = destinations.get(destination);
    return lane == null ? slotsPerDestination() : freeSlotsIn(lane, now);
  }

  private int freeSlotsIn(DestinationQueue lane, long now) {
    if (lane.notBeforeNanos - now > 0 && lane.readyClaims.isEmpty()) return 0;
    return Math.max(0, slotsPerDestination() - lane.readyClaims.size());
  }

  /** What one destination may have of the places: always less than are left, so all get some. */
  private int slotsPerDestination() {
    int left = MAX_READY - ready;
    return left == 0 ? 0 : Math.min(MAX_READY_PER_DESTINATION, left / 5 + 1);
  }

  /** How many claims of a destination are here: rows that a scan will meet again. */
  synchronized int claimCount(Destination destination) {
    DestinationQueue lane = destinations.get(destination);
    return lane == null ? 0 : lane.readyClaims.size() + lane.running;
  }

  /** The index has due rows for the destination that found no place. */
  synchronized void noteBacklog(Destination destination) {
    DestinationQueue lane = destinations.get(destination);
    if (lane == null) backlogElsewhere = true;
    else lane.hasBacklog = true;
  }

  /** Destinations of which something is known. */
  synchronized int destinations() {
    return destinations.size();
  }

  /** The next claim to run, destination after destination; it has been admitted and is running. */
  synchronized Optional<DeliveryClaim> next(long now) {
    if (running >= maxRunning) return Optional.empty();
    for (int tried = rotation.size(); tried > 0; tried--) {
      DestinationQueue lane = rotation.pollFirst();
      if (lane == null) break;
      boolean waits = lane.atLimit || lane.notBeforeNanos - now > 0;
      boolean granted = !waits && isAdmitted(lane);
      if (granted) {
        DeliveryClaim claim = lane.readyClaims.removeFirst();
        ready--;
        countRunning(lane, claim);
        rejoinRotation(lane);
        return Optional.of(claim);
      }
      rejoinRotation(lane);
    }
    return Optional.empty();
  }

  private boolean isAdmitted(DestinationQueue lane) {
    return switch (deliveries.admit(lane.destination)) {
      case Admission.Granted g -> true;
      case Admission.Full f -> {
        // an attempt that just ends gives its room back before it tells us: look again then
        lane.atLimit = lane.running > 0;
        yield false;
      }
      case Admission.RateLimited r -> {
        lane.notBeforeNanos = r.until();
        yield false;
      }
      case Admission.CircuitOpen c -> {
        lane.notBeforeNanos = c.until();
        forget(lane, claim -> true);
        lane.hasBacklog = true;
        yield false;
      }
    };
  }

  private void rejoinRotation(DestinationQueue lane) {
    lane.inRotation = !lane.readyClaims.isEmpty();
    if (lane.inRotation) rotation.addLast(lane);
  }

  private void countRunning(DestinationQueue lane, DeliveryClaim claim) {
    running++;
    lane.running++;
    runningBySpool.merge(claim.spool(), 1, Integer::sum);
  }

  /** Claims one for a task that needs no room at its destination; false when it is known. */
  synchronized boolean beginUnadmitted(DeliveryClaim claim, long now) {
    if (running >= maxRunning || isStopped(claim.spool()) || !claimed.add(claim)) return false;
    countRunning(
        destinations.computeIfAbsent(claim.destination(), d -> new DestinationQueue(d, now)),
        claim);
    return true;
  }

  /** A claim has run. */
  synchronized void finish(DeliveryClaim claim, Duration rest, long now) {
    running--;
    runningBySpool.computeIfPresent(claim.spool(), (s, n) -> n == 1 ? null : n - 1);
    DestinationQueue lane = destinations.get(claim.destination());
    if (lane != null) {
      lane.running--;
      lane.atLimit = false;
      if (isIdle(lane, now)) destinations.remove(claim.destination());
    }
    if (rest.isZero() || backedOff.size() >= MAX_BACKED_OFF) claimed.remove(claim);
    else backedOff.add(new BackedOffClaim(claim, now + rest.toNanos()));
    notifyAll();
  }

  private static boolean isIdle(DestinationQueue lane, long now) {
    return lane.running == 0
        && lane.readyClaims.isEmpty()
        && !lane.hasBacklog
        && lane.notBeforeNanos - now <= 0;
  }

  /** Lets those go whose rest is over; true when there were any. */
  synchronized boolean endBackoffs(long now) {
    boolean any = false;
    while (!backedOff.isEmpty() && backedOff.peek().untilNanos - now <= 0) {
      claimed.remove(backedOff.remove().claim);
      any = true;
    }
    return any;
  }

  /** Whether a destination has room for claims that are due and were left in the index. */
  synchronized boolean hasRoomForBacklog(long now) {
    if (ready >= MAX_READY) return false;
    if (backlogElsewhere && ready < MAX_READY / 2) return true;
    for (DestinationQueue lane : destinations.values()) {
      boolean low = lane.readyClaims.size() < slotsPerDestination() / 4 + 1;
      if (lane.hasBacklog && low && lane.notBeforeNanos - now <= 0) return true;
    }
    return false;
  }

  /** A sweep begins: what is left out from here on, it says anew. */
  synchronized void beginSweep(long now) {
    backlogElsewhere = false;
    for (DestinationQueue lane : destinations.values()) lane.hasBacklog = false;
    destinations.values().removeIf(lane -> isIdle(lane, now));
  }

  /** Nanoseconds until some destination that waits for its time may go on. */
  synchronized long nanosUntilNextStart(long now) {
    long least = Long.MAX_VALUE;
    for (DestinationQueue lane : destinations.values()) {
      boolean wants = lane.hasBacklog || !lane.readyClaims.isEmpty();
      if (wants && lane.notBeforeNanos - now > 0)
        least = Math.min(least, lane.notBeforeNanos - now);
    }
    if (!backedOff.isEmpty())
      least = Math.min(least, Math.max(0, backedOff.peek().untilNanos - now));
    return least;
  }

  /** Whether the destination is left alone at the moment. */
  synchronized boolean isDelayed(Destination destination, long now) {
    DestinationQueue lane = destinations.get(destination);
    return lane != null && lane.notBeforeNanos - now > 0;
  }

  /**
   * From now on nothing of the spool starts; what waits is forgotten, what runs goes on. Under the
   * lock that also counts what runs: after {@link #awaitIdle} nothing can slip through.
   */
  synchronized void stop(OwnedSpool spool) {
    stopped.add(spool);
    for (DestinationQueue lane : destinations.values())
      forget(lane, claim -> claim.spool() == spool);
  }

  synchronized void stopAll() {
    allStopped = true;
    for (DestinationQueue lane : destinations.values()) forget(lane, claim -> true);
  }

  /** Takes a stop back; also when the spool is gone for good, so that it is not kept in memory. */
  synchronized void resume(OwnedSpool spool) {
    stopped.remove(spool);
  }

  synchronized boolean isStopped(OwnedSpool spool) {
    return allStopped || stopped.contains(spool);
  }

  /** Forgets what waits of a spool that is not owned any more. */
  synchronized void forgetSpool(OwnedSpool spool) {
    stop(spool);
    resume(spool);
  }

  private void forget(DestinationQueue lane, Predicate<DeliveryClaim> which) {
    int before = lane.readyClaims.size();
    lane.readyClaims.removeIf(
        claim -> {
          if (!which.test(claim)) return false;
          claimed.remove(claim);
          return true;
        });
    ready -= before - lane.readyClaims.size();
  }

  /** Waits until nothing of the spool runs, or nothing at all when it is null. */
  synchronized boolean awaitIdle(@Nullable OwnedSpool spool, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
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
    return spool == null ? running : runningBySpool.getOrDefault(spool, 0);
  }

  synchronized int running() {
    return running;
  }

  synchronized int ready() {
    return ready;
  }
}
