package org.quorumail.gossip.plumtree;

import java.util.random.RandomGenerator;

/** The maintenance every few seconds: links, expired payloads, batch size, old sources. */
final class PeriodicMaintenance {
  private final PlumtreeContext context;
  private final OverlayMaintenance overlay;
  private final RandomGenerator random;
  private long due;
  private long cleanupAt;

  PeriodicMaintenance(
      PlumtreeContext context, OverlayMaintenance overlay, RandomGenerator random, long now) {
    this.context = context;
    this.overlay = overlay;
    this.random = random;
    this.due = next(now);
    this.cleanupAt = now + context.config.cleanup().baseInterval().toMillis();
  }

  long deadline() {
    return due;
  }

  void tick(long now) {
    if (now < due) return;
    due = next(now);
    overlay.maintain(now);
    context.cache.expire(now);
    if (context.store != context.cache) context.store.expire(now);
    context.batchSizer.recalculate(1 - context.graftStatistics.failureRate(now), now);
    if (now >= cleanupAt) cleanUp(now);
  }

  private long next(long now) {
    long interval = context.config.maintenanceInterval().toMillis();
    if (interval == 0) return Long.MAX_VALUE;
    long jitter = context.config.maintenanceJitter().toMillis();
    return now + interval + (jitter == 0 ? 0 : random.nextLong(jitter));
  }

  /** Removes the sources that are gone once there are many; the fuller the table, the more. */
  private void cleanUp(long now) {
    CleanupConfig cleanup = context.config.cleanup();
    double use = context.seen.fillRatio();
    long keep = 3 * context.availabilityMillis();
    if (use > cleanup.highUse()) keep /= cleanup.ttlDivisor();
    context.seen.giveUpOldGaps(now, 3 * context.availabilityMillis());
    if (use >= cleanup.lowUse()) context.seen.removeSilent(now, keep);
    context.meter.count(PlumtreeMetric.SEEN_MAP_EVICTIONS, context.seen.takeEvictions());
    long pause =
        use > cleanup.highUse()
            ? cleanup.minInterval().toMillis()
            : use < cleanup.lowUse()
                ? cleanup.maxInterval().toMillis()
                : cleanup.baseInterval().toMillis();
    cleanupAt = now + pause;
  }
}
