package org.quorumail.gossip.plumtree;

/** How many grafts worked, over the last one to two minutes and in all. */
final class GraftStatistics {
  private static final long PERIOD_MILLIS = 60_000;

  private long periodStart;
  private long successes;
  private long failures;
  private long earlierSuccesses;
  private long earlierFailures;
  private long allSuccesses;
  private long allFailures;

  GraftStatistics(long now) {
    this.periodStart = now;
  }

  void succeeded(long now) {
    roll(now);
    successes++;
    allSuccesses++;
  }

  void failed(long now) {
    roll(now);
    failures++;
    allFailures++;
  }

  double failureRate(long now) {
    roll(now);
    long failed = failures + earlierFailures;
    long all = failed + successes + earlierSuccesses;
    return all == 0 ? 0 : failed / (double) all;
  }

  long successful() {
    return allSuccesses;
  }

  long failed() {
    return allFailures;
  }

  private void roll(long now) {
    long passed = now - periodStart;
    if (passed < PERIOD_MILLIS) return;
    boolean oneOnly = passed < 2 * PERIOD_MILLIS;
    earlierSuccesses = oneOnly ? successes : 0;
    earlierFailures = oneOnly ? failures : 0;
    successes = 0;
    failures = 0;
    periodStart = now;
  }
}
