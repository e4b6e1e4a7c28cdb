package org.quorumail.tools;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * Samples {@code spool_in_doubt} of every node: deliveries whose final dot is out and whose outcome
 * is not yet committed. Each of them may be delivered again when the node dies at that moment, no
 * other may.
 *
 * <p>The bound for one kill is the largest sample of the last second, or what the sink had in its
 * hands at that moment if that is more. It is honest but not sharp: a peak between two samples goes
 * unseen, which the look at the sink makes up for in part, and a second is long, which makes the
 * bound larger than the truth was at the very moment.
 */
final class InDoubtSampler implements AutoCloseable {
  private static final Duration INTERVAL = Duration.ofMillis(50);
  private static final int KEPT_SAMPLES = 20; // one second

  private final LocalCluster fleet;
  private final SmtpSink sink;
  private final long[][] samples;
  private final Thread[] threads;
  private volatile boolean stopped;

  InDoubtSampler(LocalCluster fleet, SmtpSink sink) {
    this.fleet = fleet;
    this.sink = sink;
    this.samples = new long[fleet.size()][KEPT_SAMPLES];
    this.threads = new Thread[fleet.size()];
  }

  void start() {
    for (int i = 0; i < threads.length; i++) {
      int node = i;
      threads[i] = Thread.ofVirtual().start(() -> sample(node));
    }
  }

  private void sample(int node) {
    try {
      for (int turn = 0; !stopped; turn++) {
        OptionalLong doubt = fleet.node(node).http().inDoubt();
        synchronized (samples) {
          samples[node][turn % KEPT_SAMPLES] = doubt.orElse(0);
        }
        Thread.sleep(INTERVAL);
      }
    } catch (InterruptedException e) {
      // stopped from outside
    }
  }

  /** The bound for a node that fails now. */
  long upperBound(int node) {
    long largest = sink.openTransactions();
    synchronized (samples) {
      for (long sample : samples[node]) largest = Math.max(largest, sample);
    }
    return largest;
  }

  @Override
  public void close() {
    stopped = true;
    for (Thread thread : threads) if (thread != null) thread.interrupt();
  }
}
