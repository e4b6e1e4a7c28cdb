package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BiFunction;

/**
 * The kill-and-count test, {@code quorumail chaos}: starts nodes as processes, sends numbered
 * messages until each has its 250, and kills nodes meanwhile. At the end it accounts for every
 * acknowledged message.
 */
public final class ChaosRun {
  private static final Duration START_TIMEOUT = Duration.ofSeconds(90);
  private static final Duration DIGEST_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration PROGRESS_INTERVAL = Duration.ofSeconds(2);

  private final ChaosOptions options;
  private final PrintStream out;
  private final PrintStream progress;
  private final long begin = System.nanoTime();
  private final List<String> problems = new ArrayList<>();

  /** Prints the report to {@code out} and the events of the run to {@code progress}. */
  public ChaosRun(ChaosOptions options, PrintStream out, PrintStream progress) {
    this.options = options;
    this.out = out;
    this.progress = progress;
  }

  /**
   * Returns 0 only when nothing is lost, replicas are equal and duplicates are within the bound.
   */
  public int run() {
    return WorkDirectory.run(
        options.directory(),
        progress,
        directory -> {
          ChaosReport report = measure(directory);
          print(report);
          return report.isGood();
        });
  }

  /** Runs in the directory and leaves all files there. */
  public ChaosReport measure(Path directory) throws IOException, InterruptedException {
    MessageHistory history = new MessageHistory();
    try (SmtpSink sink = SmtpSink.start(options.sink(), history::recordDelivery);
        LocalCluster cluster =
            LocalCluster.of(options.nodes(), directory, "smtp://127.0.0.1:" + sink.port());
        InDoubtSampler inDoubt = new InDoubtSampler(cluster, sink)) {
      progress.printf("starting %d nodes in %s%n", cluster.size(), directory);
      cluster.start(START_TIMEOUT);
      progress.printf("all ready after %.1f s%n", seconds(begin));
      inDoubt.start();
      FaultInjector injector = new FaultInjector(options.faults(), cluster, inDoubt, progress);
      sendUnderFaults(cluster, history, injector);
      awaitDelivery(cluster, history);
      problems.addAll(inDoubt.problems());
      problems.addAll(injector.problems());
      return report(cluster, history, injector);
    }
  }

  private void sendUnderFaults(LocalCluster cluster, MessageHistory history, FaultInjector injector)
      throws InterruptedException {
    try (SenderPool senders =
        new SenderPool(cluster.smtpAddresses(), history, options.workload())) {
      senders.start();
      injector.start();
      while (!senders.await(PROGRESS_INTERVAL) && remaining().isPositive()) {
        printProgress(cluster, history);
      }
    } finally {
      injector.stop();
    }
    if (history.acknowledged() < options.workload().messages()) {
      problems.add(
          "only %d of %d messages had their 250 in time"
              .formatted(history.acknowledged(), options.workload().messages()));
    }
  }

  private void printProgress(LocalCluster cluster, MessageHistory history) {
    OptionalLong queue = cluster.queueSize();
    progress.printf(
        "t=%.0fs acknowledged=%d delivered=%d queued=%s%n",
        seconds(begin),
        history.acknowledged(),
        history.delivered(),
        queue.isPresent() ? Long.toString(queue.getAsLong()) : "?");
  }

  private void awaitDelivery(LocalCluster cluster, MessageHistory history)
      throws IOException, InterruptedException {
    for (NodeProcess node : cluster.nodes()) { // all killed nodes have been restarted by now
      if (node.isRunning()) continue;
      problems.add(node.settings().id() + " ended without being killed: " + node.logTail());
    }
    cluster.start(START_TIMEOUT);
    progress.println("all nodes are up again, waiting for empty queues");
    if (!cluster.awaitEmptyQueues(remaining())) {
      problems.add("the queues were not empty in time: " + cluster.queueSize());
    }
    printProgress(cluster, history);
    problems.addAll(cluster.compareDigests(DIGEST_TIMEOUT));
  }

  private ChaosReport report(LocalCluster cluster, MessageHistory history, FaultInjector injector) {
    List<InjectedFault> faults = injector.faults();
    long bound = faults.stream().mapToLong(InjectedFault::inDoubt).sum();
    return new ChaosReport(
        options.faults().seed(),
        Duration.ofNanos(System.nanoTime() - begin),
        history.tally(cluster::isQueued),
        count(faults, InjectedFault.Kind.KILL) + count(faults, InjectedFault.Kind.WIPE),
        count(faults, InjectedFault.Kind.PAUSE),
        ChaosReport.PlannedRestarts.of(injector.stopTimes()),
        MembershipChanges.count(faults),
        history.refusals(),
        bound,
        times(faults, (f, name) -> history.firstAcknowledgement(f.node(), f.at()), cluster),
        times(faults, (f, name) -> history.firstTakenOver(f.node(), name, f.at()), cluster),
        List.copyOf(problems));
  }

  private static int count(List<InjectedFault> faults, InjectedFault.Kind kind) {
    return (int) faults.stream().filter(f -> f.kind() == kind).count();
  }

  /** The recovery times after faults that left a quorum; after others mail waits for a restart. */
  private static ChaosReport.RecoveryTimes times(
      List<InjectedFault> faults,
      BiFunction<InjectedFault, String, OptionalLong> time,
      LocalCluster cluster) {
    List<Long> nanos = new ArrayList<>();
    for (InjectedFault fault : faults) {
      if (!fault.quorumSurvives()) continue;
      String name = cluster.node(fault.node()).settings().hostname();
      time.apply(fault, name).ifPresent(nanos::add);
    }
    return ChaosReport.RecoveryTimes.of(nanos);
  }

  private void print(ChaosReport report) {
    if (options.format() == OutputFormat.JSON) {
      out.println(OutputFormat.json(report.toJson()));
    } else {
      out.print(report.toText());
    }
  }

  private Duration remaining() {
    return options.timeout().minusNanos(System.nanoTime() - begin);
  }

  private static double seconds(long since) {
    return (System.nanoTime() - since) / 1e9;
  }
}
