package org.quorumail.gossip;

import java.util.random.RandomGenerator;

/** What is looked after every few seconds, at another moment on each node: tables that age. */
final class Upkeep {
  private final PlumtreeState state;
  private final Neighbourhood neighbourhood;
  private final RandomGenerator random;
  private long due;
  private long cleanupAt;

  Upkeep(PlumtreeState state, Neighbourhood neighbourhood, RandomGenerator random, long now) {
    this.state = state;
    this.neighbourhood = neighbourhood;
    this.random = random;
    this.due = next(now);
    this.cleanupAt = now + state.config.cleanup().baseInterval().toMillis();
  }

  long deadline() {
    return due;
  }

  void tick(long now) {
    if (now < due) return;
    due = next(now);
    neighbourhood.maintain(now);
    state.cache.expire(now);
    if (state.kept != state.cache) state.kept.expire(now);
    state.batcher.recalculate(1 - state.grafts.failureRate(now), now);
    if (now >= cleanupAt) cleanUp(now);
  }

  private long next(long now) {
    long interval = state.config.maintenanceInterval().toMillis();
    if (interval == 0) return Long.MAX_VALUE;
    long jitter = state.config.maintenanceJitter().toMillis();
    return now + interval + (jitter == 0 ? 0 : random.nextLong(jitter));
  }

  /** Forgets origins that are gone, once there are many; the fuller the table, the more of them. */
  private void cleanUp(long now) {
    CleanupConfig cleanup = state.config.cleanup();
    double use = state.seen.use();
    long keep = 3 * state.offerMillis();
    if (use > cleanup.highUse()) keep /= cleanup.ttlDivisor();
    state.seen.settle(now, 3 * state.offerMillis());
    if (use >= cleanup.lowUse()) state.seen.forget(now, keep);
    state.meter.count(PlumtreeMetric.SEEN_MAP_EVICTIONS, state.seen.takeEvictions());
    long pause =
        use > cleanup.highUse()
            ? cleanup.minInterval().toMillis()
            : use < cleanup.lowUse()
                ? cleanup.maxInterval().toMillis()
                : cleanup.baseInterval().toMillis();
    cleanupAt = now + pause;
  }
}
