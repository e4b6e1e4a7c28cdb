package org.quorumail.gossip.swim;

/**
 * The probes of dead members (lazarus), one at each interval. A dead member that lives after all,
 * like half the cluster at a partition's end, receives the accusation with the probe and refutes
 * it. Each return makes the nodes that see it probe more often for a while.
 */
final class DeadMemberProber {
  /** After this long without a return, probes are rare again. */
  private static final int BUSY_MILLIS = 2_000;

  private final SwimContext context;
  private final Tombstones tombstones;
  private final Prober prober;
  private long nextProbe;
  private long busyUntil = Long.MIN_VALUE;

  DeadMemberProber(SwimContext context, Tombstones tombstones, Prober prober) {
    this.context = context;
    this.tombstones = tombstones;
    this.prober = prober;
    this.nextProbe = isOff() ? Long.MAX_VALUE : context.now + context.random.nextInt(interval());
  }

  private int interval() {
    return context.config.lazarusInterval();
  }

  private boolean isOff() {
    return interval() == 0;
  }

  long deadline() {
    return tombstones.size() > 0 ? nextProbe : Long.MAX_VALUE;
  }

  void tick() {
    if (context.now < nextProbe) return;
    int interval = context.now < busyUntil ? context.config.lazarusBusyInterval() : interval();
    nextProbe = context.now + interval * 3L / 4 + context.random.nextInt(interval / 2);
    SwimMember dead = tombstones.randomDead(context.table, context.random);
    if (dead != null) prober.probeDirectly(dead, context.config.probeWindow(), answered -> {});
  }

  /** One dead member returned, so others may. */
  void onMemberReturned() {
    boolean wasBusy = context.now < busyUntil;
    busyUntil = context.now + BUSY_MILLIS;
    if (wasBusy || isOff()) return;
    long soon = context.now + context.random.nextInt(context.config.lazarusBusyInterval());
    nextProbe = Math.min(nextProbe, soon);
  }
}
