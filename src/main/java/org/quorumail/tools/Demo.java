package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * The demonstration, {@code quorumail demo}: three nodes on this machine, two thousand messages,
 * one node killed half way, and the tally of all messages.
 */
public final class Demo {
  private static final int NODES = 3;
  private static final int VICTIM = 1;
  private static final double RATE = 250; // eight seconds of mail: long enough to watch
  private static final Duration START_TIMEOUT = Duration.ofSeconds(90);
  private static final Duration DOWNTIME = Duration.ofSeconds(2);
  private static final Duration STATUS_INTERVAL = Duration.ofMillis(500);
  private static final Duration DIGEST_TIMEOUT = Duration.ofSeconds(20);
  private static final String ERASE_LINE = "\r\033[K";

  private final DemoOptions options;
  private final PrintStream out;
  private final long begin = System.nanoTime();

  public Demo(DemoOptions options, PrintStream out) {
    this.options = options;
    this.out = out;
  }

  /** Returns 0 only when accepted = delivered + queued + bounced, and nothing is lost. */
  public int run() {
    return WorkDirectory.run(options.directory(), out, this::runIn);
  }

  private boolean runIn(Path directory) throws IOException, InterruptedException {
    MessageHistory history = new MessageHistory();
    SmtpSink.Options slow = SmtpSink.Options.onPort(0).withDelay(Duration.ofMillis(5));
    try (SmtpSink sink = SmtpSink.start(slow, history::recordDelivery);
        LocalCluster cluster =
            LocalCluster.of(NODES, directory, "smtp://127.0.0.1:" + sink.port())) {
      out.println("Three nodes on this machine. A message is on the disks of two of them at least");
      out.println("before its sender gets 250. Half way, one node is killed (kill -9).");
      startAll(cluster);
      long killed = sendAndKill(cluster, history);
      cluster.start(START_TIMEOUT);
      boolean isEmpty = cluster.awaitEmptyQueues(Duration.ofSeconds(60));
      printStatus(cluster, history);
      endOfLine();
      List<String> differences = cluster.compareDigests(DIGEST_TIMEOUT);
      boolean isGood = printResult(cluster, history, killed, differences) && isEmpty;
      if (options.keep()) keepRunning(cluster);
      return isGood;
    }
  }

  /** Starts the nodes and prints a line at once, then one for each node that is ready. */
  private void startAll(LocalCluster cluster) throws IOException, InterruptedException {
    out.printf(Locale.ROOT, "%5.1f s  the nodes start; this takes some seconds%n", seconds());
    out.flush();
    long end = System.nanoTime() + START_TIMEOUT.toNanos();
    for (NodeProcess node : cluster.nodes()) node.start();
    for (NodeProcess node : cluster.nodes()) {
      node.awaitReady(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
      out.printf(Locale.ROOT, "%5.1f s  %s is ready%n", seconds(), node.settings().id());
      out.flush();
    }
  }

  /** Sends all messages, kills and restarts the victim meanwhile; returns the time of the kill. */
  private long sendAndKill(LocalCluster cluster, MessageHistory history)
      throws IOException, InterruptedException {
    Workload workload = Workload.atRate(options.messages(), RATE);
    NodeProcess victim = cluster.node(VICTIM);
    long killed = 0;
    try (SenderPool senders = new SenderPool(cluster.smtpAddresses(), history, workload)) {
      senders.start();
      while (!senders.await(STATUS_INTERVAL) && seconds() < options.timeout().toSeconds()) {
        printStatus(cluster, history);
        if (killed == 0 && history.acknowledged() >= options.messages() / 2) {
          killed = System.nanoTime();
          victim.kill();
          printEvent("kill -9 " + victim.settings().id());
        } else if (killed != 0 && !victim.isRunning() && since(killed) > DOWNTIME.toMillis()) {
          victim.start();
          printEvent(victim.settings().id() + " is started again");
        }
      }
    }
    return killed;
  }

  /** Prints one line: the state of each node and the count of messages by place. */
  private void printStatus(LocalCluster cluster, MessageHistory history) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%5.1f s ", seconds()));
    for (NodeProcess node : cluster.nodes()) {
      String state = !node.isRunning() ? "DOWN" : node.http().isReady() ? "up" : "starting";
      line.append(String.format(Locale.ROOT, " %s %-8s", node.settings().id(), state));
    }
    line.append(
        String.format(
            Locale.ROOT,
            " accepted %5d  delivered %5d  in the queue %s",
            history.acknowledged(),
            history.delivered(),
            queued(cluster)));
    if (options.isTerminal()) out.print(ERASE_LINE + line);
    else out.println(line);
    out.flush();
  }

  private static String queued(LocalCluster cluster) {
    for (NodeProcess node : cluster.nodes()) {
      OptionalLong size = node.isRunning() ? node.http().queueSize() : OptionalLong.empty();
      if (size.isPresent()) return Long.toString(size.getAsLong());
    }
    return "?";
  }

  private boolean printResult(
      LocalCluster cluster, MessageHistory history, long killed, List<String> differences) {
    MessageTally tally = history.tally(cluster::isQueued);
    out.printf(
        "accepted %d = delivered %d + queued %d + bounced %d; lost %d%n",
        tally.acknowledged(),
        tally.delivered(),
        tally.queued(),
        tally.bounced(),
        tally.lost().size());
    out.printf(
        "delivered twice %d (deliveries in progress when the node died)%n", tally.duplicates());
    printDelay("first 250 from another node", history.firstAcknowledgement(VICTIM, killed));
    for (String difference : differences) out.println("NOT EQUAL: " + difference);
    if (differences.isEmpty()) out.println("the replicas of every spool are equal");
    boolean hasAll = tally.acknowledged() == options.messages();
    if (!hasAll) out.println("NOT ALL messages were accepted in time");
    return hasAll && tally.isWhole() && differences.isEmpty();
  }

  private void printDelay(String event, OptionalLong nanos) {
    nanos.ifPresent(n -> out.printf("%s after %d ms%n", event, Duration.ofNanos(n).toMillis()));
  }

  private void keepRunning(LocalCluster cluster) throws InterruptedException {
    for (NodeProcess node : cluster.nodes()) {
      NodeSettings settings = node.settings();
      out.printf(
          "%s  SMTP 127.0.0.1:%d  health %shealth  configuration %s%n",
          settings.id(), settings.smtpPort(), node.http().url(), settings.configFile());
    }
    out.println("The nodes keep running; Ctrl-C ends them.");
    out.flush();
    while (cluster.nodes().stream().anyMatch(NodeProcess::isRunning)) Thread.sleep(STATUS_INTERVAL);
  }

  private void printEvent(String event) {
    endOfLine();
    out.printf(Locale.ROOT, "%5.1f s  %s%n", seconds(), event);
  }

  private void endOfLine() {
    if (options.isTerminal()) out.println();
  }

  private double seconds() {
    return (System.nanoTime() - begin) / 1e9;
  }

  private static long since(long nanos) {
    return Duration.ofNanos(System.nanoTime() - nanos).toMillis();
  }
}
