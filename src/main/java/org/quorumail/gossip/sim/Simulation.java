package org.quorumail.gossip.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The engine of a simulation: one virtual clock in milliseconds, one queue of events, and nodes
 * that may crash, pause, drift or be slow. All randomness comes from the seed, split by purpose, so
 * two runs with one seed are equal event by event.
 */
final class Simulation {
  private static final byte DATAGRAM = 0;
  private static final byte STREAM = 1;
  private static final byte WAKE = 2;
  private static final byte ACTION = 3;

  private final CalendarQueue queue = new CalendarQueue();
  private final SplittableRandom random;
  private final SimulatedNode[] hosts;
  private final boolean[] down;
  private final long[] pausedUntil;
  private final long[] wakeAt;
  private final double[] clockRate;
  private final int[] slowness;
  private final List<Invariant> invariants = new ArrayList<>();
  private long events;
  private long sampleEvery = 1;

  final NetworkModel network;

  /** A property that holds at all times and is checked between events. */
  interface Invariant {
    /** The violation in a sentence, or null. */
    @Nullable String violation(Simulation simulation);
  }

  Simulation(MembershipScenario.NetworkConditions conditions, int nodes, long seed) {
    this.random = new SplittableRandom(seed);
    this.network = new NetworkModel(conditions, nodes, random.split());
    this.hosts = new SimulatedNode[nodes];
    this.down = new boolean[nodes];
    this.pausedUntil = new long[nodes];
    this.wakeAt = new long[nodes];
    this.clockRate = new double[nodes];
    this.slowness = new int[nodes];
    java.util.Arrays.fill(wakeAt, Long.MAX_VALUE);
    java.util.Arrays.fill(clockRate, 1);
  }

  /** A new independent random source. */
  SplittableRandom randomSource() {
    return random.split();
  }

  int nodes() {
    return hosts.length;
  }

  long now() {
    return queue.now();
  }

  long events() {
    return events;
  }

  SimulatedNode host(int node) {
    return hosts[node];
  }

  /** Starts a node, or restarts it. */
  void start(int node, SimulatedNode host) {
    hosts[node] = host;
    down[node] = false;
    schedule(node);
  }

  /**
   * Checks an invariant between events.
   *
   * @param every the number of events per check
   */
  void invariant(Invariant invariant, long every) {
    invariants.add(invariant);
    sampleEvery = every;
  }

  // ---- faults

  void crash(int node) {
    down[node] = true;
  }

  boolean isDown(int node) {
    return down[node];
  }

  /** Pauses a node: it reads nothing and runs no timer, and packets wait. */
  void pause(int node, long millis) {
    pausedUntil[node] = now() + millis;
  }

  /** Sets the rate of a node's clock; 1.01 is one percent fast. */
  void drift(int node, double clockRate) {
    this.clockRate[node] = clockRate;
  }

  /** Delays every packet that a node receives. */
  void slow(int node, int millis) {
    slowness[node] = millis;
  }

  void at(long time, Runnable action) {
    queue.add(time, ACTION, 0, 0, action);
  }

  // ---- traffic

  void datagram(int from, int to, Object packet) {
    int delay = network.datagram(from, to);
    if (delay < 0) return;
    queue.add(now() + delay, DATAGRAM, to, from, packet);
    if (!network.isDoubled()) return;
    int second = network.datagram(from, to);
    if (second >= 0) queue.add(now() + second, DATAGRAM, to, from, packet);
  }

  void stream(int from, int to, Object packet, boolean isOpen) {
    int delay = network.stream(from, to, isOpen);
    if (delay >= 0) queue.add(now() + delay, STREAM, to, from, packet);
  }

  // ---- time

  long localTime(int node) {
    return localTime(node, now());
  }

  private long localTime(int node, long time) {
    return clockRate[node] == 1 ? time : (long) (time * clockRate[node]);
  }

  private long globalTime(int node, long local) {
    if (clockRate[node] == 1 || local == Long.MAX_VALUE) return local;
    return (long) Math.ceil(local / clockRate[node]);
  }

  /** Schedules the next wake of a node at its current deadline. */
  void schedule(int node) {
    if (down[node]) return;
    long deadline = hosts[node].nextDeadline();
    if (deadline == Long.MAX_VALUE) return;
    // at least one millisecond later, so that rounding of the clock cannot stop the time
    long at = Math.max(globalTime(node, deadline), now() + 1);
    if (at >= wakeAt[node]) return;
    wakeAt[node] = at;
    queue.add(at, WAKE, node, 0, null);
  }

  void run(long until) {
    queue.run(until, this::handle);
  }

  private void handle(byte kind, int to, int from, @Nullable Object payload) {
    if (kind == ACTION && payload instanceof Runnable action) {
      action.run();
      checkInvariants();
      return;
    }
    if (down[to]) {
      // the dropped wake must not hide the wakes after the node's restart
      if (kind == WAKE) wakeAt[to] = Long.MAX_VALUE;
      return;
    }
    if (kind == WAKE && wakeAt[to] != now()) return;
    if (pausedUntil[to] > now()) {
      if (kind == WAKE) wakeAt[to] = pausedUntil[to];
      queue.add(pausedUntil[to], kind, to, from, payload);
      return;
    }
    if (kind == WAKE) {
      wakeAt[to] = Long.MAX_VALUE;
      hosts[to].wake(localTime(to));
    } else if (payload instanceof DelayedPacket late) {
      hosts[to].deliver(from, late.packet, kind == STREAM, localTime(to));
    } else if (payload != null && slowness[to] > 0) {
      queue.add(now() + slowness[to], kind, to, from, new DelayedPacket(payload));
      return;
    } else if (payload != null) {
      hosts[to].deliver(from, payload, kind == STREAM, localTime(to));
    }
    schedule(to);
    checkInvariants();
  }

  /** A packet that was delayed for a slow node already. */
  private record DelayedPacket(Object packet) {}

  private void checkInvariants() {
    if (++events % sampleEvery != 0) return;
    for (Invariant invariant : invariants) {
      String violation = invariant.violation(this);
      if (violation != null) {
        throw new IllegalStateException(
            invariant.getClass().getSimpleName() + " at " + now() + " ms: " + violation);
      }
    }
  }
}
