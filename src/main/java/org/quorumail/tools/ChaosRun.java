package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The kill-and-count harness, {@code quorumail chaos}: starts nodes as processes, sends numbered
 * messages until each has its 250, kills nodes meanwhile, and accounts for every message that was
 * acknowledged.
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

  /** Prints the report to {@code out}, what happens meanwhile to {@code progress}. */
  public ChaosRun(ChaosOptions options, PrintStream out, PrintStream progress) {
    this.options = options;
    this.out = out;
    this.progress = progress;
  }

  /** 0 only when nothing is lost, replicas are equal and duplicates are within the bound. */
  public int run() {
    Path directory = null;
    try {
      directory = options.directory().isPresent() ? options.directory().get() : createDirectory();
      ChaosReport report = measure(directory);
      print(report);
      if (report.isGood() && options.directory().isEmpty()) deleteDirectory(directory);
      else progress.println("logs and data are kept in " + directory);
      return report.isGood() ? 0 : 1;
    } catch (IOException e) {
      progress.println(e.getMessage());
      if (directory != null) progress.println("logs and data are kept in " + directory);
      return 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      progress.println("The run was interrupted.");
      return 1;
    }
  }

  /** Runs in the directory and leaves it as it is at the end. */
  public ChaosReport measure(Path directory) throws IOException, InterruptedException {
    MessageHistory ledger = new MessageHistory();
    try (SmtpSink sink = SmtpSink.start(options.sink(), ledger::recordDelivery);
        LocalCluster fleet =
            LocalCluster.of(options.nodes(), directory, "smtp://127.0.0.1:" + sink.port());
        InDoubtSampler doubt = new InDoubtSampler(fleet, sink)) {
      progress.printf("starting %d nodes in %s%n", fleet.size(), directory);
      fleet.start(START_TIMEOUT);
      progress.printf("all ready after %.1f s%n", seconds(begin));
      doubt.start();
      FaultInjector disruptor = new FaultInjector(options.faults(), fleet, doubt, progress);
      sendUnderFaults(fleet, ledger, disruptor);
      awaitDelivery(fleet, ledger);
      return report(fleet, ledger, disruptor.faults());
    }
  }

  private void sendUnderFaults(LocalCluster fleet, MessageHistory ledger, FaultInjector disruptor)
      throws InterruptedException {
    try (SenderPool traffic = new SenderPool(fleet.smtpAddresses(), ledger, options.load())) {
      traffic.start();
      disruptor.start();
      while (!traffic.await(PROGRESS_INTERVAL) && remaining().isPositive())
        printProgress(fleet, ledger);
    } finally {
      disruptor.stop();
    }
    if (ledger.acknowledged() < options.load().messages()) {
      problems.add(
          "only %d of %d messages had their 250 in time"
              .formatted(ledger.acknowledged(), options.load().messages()));
    }
  }

  private void printProgress(LocalCluster fleet, MessageHistory ledger) {
    OptionalLong queue = fleet.queueSize();
    progress.printf(
        "t=%.0fs acknowledged=%d delivered=%d queued=%s%n",
        seconds(begin),
        ledger.acknowledged(),
        ledger.delivered(),
        queue.isPresent() ? Long.toString(queue.getAsLong()) : "?");
  }

  private void awaitDelivery(LocalCluster fleet, MessageHistory ledger)
      throws IOException, InterruptedException {
    for (NodeProcess node : fleet.nodes()) { // whom we killed, we have started again by now
      if (node.isRunning()) continue;
      problems.add(node.settings().id() + " ended by itself: " + node.logTail());
    }
    fleet.start(START_TIMEOUT);
    progress.println("all nodes are up again, waiting for the queues");
    if (!fleet.awaitEmptyQueues(remaining())) {
      problems.add("the queues were not empty in time: " + fleet.queueSize());
    }
    printProgress(fleet, ledger);
    problems.addAll(fleet.compareDigests(DIGEST_TIMEOUT));
  }

  private ChaosReport report(
      LocalCluster fleet, MessageHistory ledger, List<InjectedFault> disruptions) {
    long bound = disruptions.stream().mapToLong(InjectedFault::inDoubt).sum();
    return new ChaosReport(
        options.faults().seed(),
        Duration.ofNanos(System.nanoTime() - begin),
        ledger.tally(fleet::isQueued),
        count(disruptions, InjectedFault.Kind.KILL),
        count(disruptions, InjectedFault.Kind.PAUSE),
        bound,
        times(disruptions, (d, name) -> ledger.firstAcknowledgement(d.node(), d.at()), fleet),
        times(disruptions, (d, name) -> ledger.firstTakenOver(d.node(), name, d.at()), fleet),
        List.copyOf(problems));
  }

  private static int count(List<InjectedFault> disruptions, InjectedFault.Kind kind) {
    return (int) disruptions.stream().filter(d -> d.kind() == kind).count();
  }

  /** Only failures that left a quorum: the others have to wait for a restart. */
  private static ChaosReport.RecoveryTimes times(
      List<InjectedFault> disruptions,
      BiFunction<InjectedFault, String, OptionalLong> time,
      LocalCluster fleet) {
    List<Long> nanos = new ArrayList<>();
    for (InjectedFault disruption : disruptions) {
      if (!disruption.quorumSurvives()) continue;
      String name = fleet.node(disruption.node()).settings().hostname();
      time.apply(disruption, name).ifPresent(nanos::add);
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

  static Path createDirectory() throws IOException {
    return Files.createTempDirectory("quorumail-chaos-");
  }

  static void deleteDirectory(Path directory) throws IOException {
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException failure)
              throws IOException {
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
