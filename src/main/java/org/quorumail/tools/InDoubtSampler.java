package org.quorumail.tools;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Samples {@code spool_in_doubt} of every node: the deliveries whose final dot is out and whose
 * outcome is not yet committed. Only these may be delivered again when the node dies.
 *
 * <p>The bound for one kill is the largest sample of the last second, or the sink's open
 * transactions if those are more. The bound is honest but not sharp. A peak between two samples
 * goes unseen; the look at the sink makes up for part of that. A second is long, so the bound may
 * exceed the true value at the moment of the kill.
 */
final class InDoubtSampler implements AutoCloseable {
  private static final Duration INTERVAL = Duration.ofMillis(50);
  private static final int KEPT_SAMPLES = 20; // one second

  private final LocalCluster cluster;
  private final SmtpSink sink;
  private final long[][] samples;
  private final Set<String> problems = ConcurrentHashMap.newKeySet();
  private final Thread[] threads;
  private volatile boolean stopped;

  InDoubtSampler(LocalCluster cluster, SmtpSink sink) {
    this.cluster = cluster;
    this.sink = sink;
    this.samples = new long[cluster.size()][KEPT_SAMPLES];
    this.threads = new Thread[cluster.size()];
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
        OptionalLong inDoubt = cluster.node(node).http().inDoubt();
        if (inDoubt.orElse(0) < 0) {
          problems.add(cluster.node(node).settings().id() + " reported a negative spool_in_doubt");
        }
        synchronized (samples) {
          samples[node][turn % KEPT_SAMPLES] = inDoubt.orElse(0);
        }
        Thread.sleep(INTERVAL);
      }
    } catch (InterruptedException e) {
      // stopped from outside
    }
  }

  /** The largest number of duplicates that a failure of this node may cause now. */
  long upperBound(int node) {
    long largest = sink.openTransactions();
    synchronized (samples) {
      for (long sample : samples[node]) largest = Math.max(largest, sample);
    }
    return largest;
  }

  /** The impossible samples, one sentence for each node that had one. */
  Set<String> problems() {
    return Set.copyOf(problems);
  }

  @Override
  public void close() {
    stopped = true;
    for (Thread thread : threads) if (thread != null) thread.interrupt();
  }
}
