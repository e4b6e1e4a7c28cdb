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
import org.quorumail.delivery.Deliveries;
import org.quorumail.delivery.Destination;
import org.quorumail.spool.OwnedSpool;

/**
 * The part of the queue that is in memory: claims that wait, run or rest, by destination. Bounded
 * whatever the spools hold. Thread-safe. Times are nanoTime.
 */
final class ActiveWindow {
  /** Claims of one destination that wait: some seconds' worth of a fast one. */
  static final int MAX_PER_LANE = 2000;

  /** Claims that wait in all; each takes some 200 bytes. */
  static final int MAX_READY = 10_000;

  /** Claims that rest after trouble of our own; more than that is trouble of another kind. */
  private static final int MAX_RESTING = 10_000;

  private final Deliveries deliveries;
  private final int maxRunning;
  private final Map<Destination, Lane> lanes = new HashMap<>();
  private final Deque<Lane> ring = new ArrayDeque<>(); // the lanes in which claims wait
  private final Set<Claim> claimed = new HashSet<>();
  private final PriorityQueue<Resting> resting =
      new PriorityQueue<>(Comparator.comparingLong(Resting::until));
  private final Map<OwnedSpool, Integer> runningBySpool = new HashMap<>();
  private final Set<OwnedSpool> stopped = new HashSet<>();
  private boolean allStopped;
  private boolean moreElsewhere; // as Lane.more, of any destination that has no lane
  private int ready;
  private int running;

  /** The claims of one destination. */
  private static final class Lane {
    final Destination destination;
    final Deque<Claim> ready = new ArrayDeque<>();
    boolean inRing;
    boolean full; // until one of its attempts ends
    boolean more; // the index has due rows that found no place here
    long notBefore;
    int running;

    Lane(Destination destination, long now) {
      this.destination = destination;
      this.notBefore = now;
    }
  }

  private record Resting(Claim claim, long until) {}

  /** What became of an offer. */
  enum Offer {
    TAKEN,
    /** It waits, runs or rests already, or nothing of its spool may start. */
    KNOWN,
    /** No place: the index keeps it, {@link #hungry} tells when to look again. */
    NO_PLACE
  }

  ActiveWindow(Deliveries deliveries, int maxRunning) {
    this.deliveries = deliveries;
    this.maxRunning = maxRunning;
  }

  synchronized Offer offer(Claim claim, long now) {
    if (isStopped(claim.spool()) || claimed.contains(claim)) return Offer.KNOWN;
    if (places(claim.destination(), now) == 0) {
      leftOut(claim.destination());
      return Offer.NO_PLACE;
    }
    Lane lane = lanes.computeIfAbsent(claim.destination(), d -> new Lane(d, now));
    claimed.add(claim);
    lane.ready.addLast(claim);
    ready++;
    if (!lane.inRing) {
      lane.inRing = true;
      ring.addLast(lane);
    }
    return Offer.TAKEN;
  }

  /** How many more claims a destination could take now. */
  synchronized int places(Destination destination, long now) {
    Lane lane = lanes.get(destination);
    return lane == null ? share() : placesIn(lane, now);
  }

  private int placesIn(Lane lane, long now) {
    if (lane.notBefore - now > 0 && lane.ready.isEmpty()) return 0;
    return Math.max(0, share() - lane.ready.size());
  }

  /** What one destination may have of the places: always less than are left, so all get some. */
  private int share() {
    int left = MAX_READY - ready;
    return left == 0 ? 0 : Math.min(MAX_PER_LANE, left / 5 + 1);
  }

  /** How many claims of a destination are here: rows that a scan will meet again. */
  synchronized int known(Destination destination) {
    Lane lane = lanes.get(destination);
    return lane == null ? 0 : lane.ready.size() + lane.running;
  }

  /** The index has due rows for the destination that found no place. */
  synchronized void leftOut(Destination destination) {
    Lane lane = lanes.get(destination);
    if (lane == null) moreElsewhere = true;
    else lane.more = true;
  }

  /** Destinations of which something is known. */
  synchronized int lanes() {
    return lanes.size();
  }

  /** The next claim to run, destination after destination; it has been admitted and is running. */
  synchronized Optional<Claim> next(long now) {
    if (running >= maxRunning) return Optional.empty();
    for (int tried = ring.size(); tried > 0; tried--) {
      Lane lane = ring.pollFirst();
      if (lane == null) break;
      boolean waits = lane.full || lane.notBefore - now > 0;
      boolean granted = !waits && admitted(lane);
      if (granted) {
        Claim claim = lane.ready.removeFirst();
        ready--;
        begin(lane, claim);
        rejoin(lane);
        return Optional.of(claim);
      }
      rejoin(lane);
    }
    return Optional.empty();
  }

  private boolean admitted(Lane lane) {
    return switch (deliveries.admit(lane.destination)) {
      case Admission.Granted g -> true;
      case Admission.Full f -> {
        // an attempt that just ends gives its room back before it tells us: look again then
        lane.full = lane.running > 0;
        yield false;
      }
      case Admission.RateLimited r -> {
        lane.notBefore = r.until();
        yield false;
      }
      case Admission.Closed c -> {
        lane.notBefore = c.until();
        forget(lane, claim -> true);
        lane.more = true;
        yield false;
      }
    };
  }

  private void rejoin(Lane lane) {
    lane.inRing = !lane.ready.isEmpty();
    if (lane.inRing) ring.addLast(lane);
  }

  private void begin(Lane lane, Claim claim) {
    running++;
    lane.running++;
    runningBySpool.merge(claim.spool(), 1, Integer::sum);
  }

  /** Claims one for a task that needs no room at its destination; false when it is known. */
  synchronized boolean beginOutside(Claim claim, long now) {
    if (running >= maxRunning || isStopped(claim.spool()) || !claimed.add(claim)) return false;
    begin(lanes.computeIfAbsent(claim.destination(), d -> new Lane(d, now)), claim);
    return true;
  }

  /** A claim has run. */
  synchronized void ended(Claim claim, Duration rest, long now) {
    running--;
    runningBySpool.computeIfPresent(claim.spool(), (s, n) -> n == 1 ? null : n - 1);
    Lane lane = lanes.get(claim.destination());
    if (lane != null) {
      lane.running--;
      lane.full = false;
      if (idle(lane, now)) lanes.remove(claim.destination());
    }
    if (rest.isZero() || resting.size() >= MAX_RESTING) claimed.remove(claim);
    else resting.add(new Resting(claim, now + rest.toNanos()));
    notifyAll();
  }

  private static boolean idle(Lane lane, long now) {
    return lane.running == 0 && lane.ready.isEmpty() && !lane.more && lane.notBefore - now <= 0;
  }

  /** Lets those go whose rest is over; true when there were any. */
  synchronized boolean endRests(long now) {
    boolean any = false;
    while (!resting.isEmpty() && resting.peek().until - now <= 0) {
      claimed.remove(resting.remove().claim);
      any = true;
    }
    return any;
  }

  /** Whether a destination has room for claims that are due and were left in the index. */
  synchronized boolean hungry(long now) {
    if (ready >= MAX_READY) return false;
    if (moreElsewhere && ready < MAX_READY / 2) return true;
    for (Lane lane : lanes.values()) {
      boolean low = lane.ready.size() < share() / 4 + 1;
      if (lane.more && low && lane.notBefore - now <= 0) return true;
    }
    return false;
  }

  /** A sweep begins: what is left out from here on, it says anew. */
  synchronized void sweepBegins(long now) {
    moreElsewhere = false;
    for (Lane lane : lanes.values()) lane.more = false;
    lanes.values().removeIf(lane -> idle(lane, now));
  }

  /** Nanoseconds until some destination that waits for its time may go on. */
  synchronized long untilNextLane(long now) {
    long least = Long.MAX_VALUE;
    for (Lane lane : lanes.values()) {
      boolean wants = lane.more || !lane.ready.isEmpty();
      if (wants && lane.notBefore - now > 0) least = Math.min(least, lane.notBefore - now);
    }
    if (!resting.isEmpty()) least = Math.min(least, Math.max(0, resting.peek().until - now));
    return least;
  }

  /** Whether the destination is left alone at the moment. */
  synchronized boolean waiting(Destination destination, long now) {
    Lane lane = lanes.get(destination);
    return lane != null && lane.notBefore - now > 0;
  }

  /**
   * From now on nothing of the spool starts; what waits is forgotten, what runs goes on. Under the
   * lock that also counts what runs: after {@link #awaitQuiet} nothing can slip through.
   */
  synchronized void stop(OwnedSpool spool) {
    stopped.add(spool);
    for (Lane lane : lanes.values()) forget(lane, claim -> claim.spool() == spool);
  }

  synchronized void stopAll() {
    allStopped = true;
    for (Lane lane : lanes.values()) forget(lane, claim -> true);
  }

  /** Takes a stop back; also when the spool is gone for good, so that it is not kept in memory. */
  synchronized void resume(OwnedSpool spool) {
    stopped.remove(spool);
  }

  synchronized boolean isStopped(OwnedSpool spool) {
    return allStopped || stopped.contains(spool);
  }

  /** Forgets what waits of a spool that is not owned any more. */
  synchronized void lost(OwnedSpool spool) {
    stop(spool);
    resume(spool);
  }

  private void forget(Lane lane, Predicate<Claim> which) {
    int before = lane.ready.size();
    lane.ready.removeIf(
        claim -> {
          if (!which.test(claim)) return false;
          claimed.remove(claim);
          return true;
        });
    ready -= before - lane.ready.size();
  }

  /** Waits until nothing of the spool runs, or nothing at all when it is null. */
  synchronized boolean awaitQuiet(@Nullable OwnedSpool spool, Duration patience) {
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
