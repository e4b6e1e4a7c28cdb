package org.quorumail.tools;

import java.time.Duration;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;

/**
 * Samples {@code spool_in_doubt} of every node: the deliveries whose final dot is out and whose
 * outcome is not yet committed. Only these may be delivered again when the node dies.
 *
 * <p>A delivery that is in doubt at a kill was in doubt at the last sample, or the sink accepted it
 * since, or its transaction is open at the sink. The bound for one kill is their sum, with the
 * largest sample of the last second in place of the last one. So it holds even where a busy machine
 * answers late. It is not sharp: the sink counts for all nodes, and a second is long.
 */
final class InDoubtSampler implements AutoCloseable {
  private static final Duration INTERVAL = Duration.ofMillis(50);
  private static final int KEPT_SAMPLES = 20; // one second

  private final LocalCluster cluster;
  private final SmtpSink sink;
  private final long[][] samples;

  /** For each node, what the sink had accepted when the last sample was asked for. */
  private final long[] acceptedBefore;

  /** Whether the node has answered since its start; before that it delivers nothing. */
  private final boolean[] answered;

  private final Set<String> problems = ConcurrentHashMap.newKeySet();
  private final Thread[] threads;
  private volatile boolean stopped;

  InDoubtSampler(LocalCluster cluster, SmtpSink sink) {
    this.cluster = cluster;
    this.sink = sink;
    this.samples = new long[cluster.size()][KEPT_SAMPLES];
    this.acceptedBefore = new long[cluster.size()];
    this.answered = new boolean[cluster.size()];
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
        long accepted = sink.messages();
        OptionalLong inDoubt = cluster.node(node).http().inDoubt();
        if (inDoubt.orElse(0) < 0) {
          problems.add(cluster.node(node).settings().id() + " reported a negative spool_in_doubt");
        }
        synchronized (samples) {
          samples[node][turn % KEPT_SAMPLES] = inDoubt.orElse(0);
          answered[node] |= inDoubt.isPresent();
          if (inDoubt.isPresent() || !answered[node]) acceptedBefore[node] = accepted;
        }
        Thread.sleep(INTERVAL);
      }
    } catch (InterruptedException e) {
      // stopped from outside
    }
  }

  /** The largest number of duplicates that a failure of this node may cause now. */
  long upperBound(int node) {
    long open = sink.openTransactions(); // first: what ends meanwhile is counted as accepted
    synchronized (samples) {
      return open
          + (sink.messages() - acceptedBefore[node])
          + LongStream.of(samples[node]).max().orElse(0);
    }
  }

  /** Forgets a node that was killed: it delivers nothing until it answers again. */
  void killed(int node) {
    synchronized (samples) {
      answered[node] = false;
    }
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
