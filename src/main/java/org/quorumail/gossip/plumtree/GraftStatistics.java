package org.quorumail.gossip.plumtree;

/** The successes and failures of grafts, in the last one to two minutes and in all. */
final class GraftStatistics {
  private static final long PERIOD_MILLIS = 60_000;

  private long periodStart;
  private long successes;
  private long failures;
  private long earlierSuccesses;
  private long earlierFailures;
  private long totalSuccesses;
  private long totalFailures;

  GraftStatistics(long now) {
    this.periodStart = now;
  }

  void recordSuccess(long now) {
    roll(now);
    successes++;
    totalSuccesses++;
  }

  void recordFailure(long now) {
    roll(now);
    failures++;
    totalFailures++;
  }

  double failureRate(long now) {
    roll(now);
    long failed = failures + earlierFailures;
    long all = failed + successes + earlierSuccesses;
    return all == 0 ? 0 : failed / (double) all;
  }

  long totalSuccesses() {
    return totalSuccesses;
  }

  long totalFailures() {
    return totalFailures;
  }

  private void roll(long now) {
    long passed = now - periodStart;
    if (passed < PERIOD_MILLIS) return;
    boolean justOver = passed < 2 * PERIOD_MILLIS;
    earlierSuccesses = justOver ? successes : 0;
    earlierFailures = justOver ? failures : 0;
    successes = 0;
    failures = 0;
    periodStart = now;
  }
}
