package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * {@code quorumail demo}: three nodes on this machine, two thousand messages, one node killed half
 * way, and the account of where every message went.
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

  /** 0 only when accepted = delivered + queued + bounced, lost 0. */
  public int run() {
    Path directory = null;
    try {
      directory =
          options.directory().isPresent() ? options.directory().get() : ChaosRun.createDirectory();
      boolean isGood = runIn(directory);
      if (isGood && options.directory().isEmpty()) ChaosRun.deleteDirectory(directory);
      else out.println("Logs and data are kept in " + directory);
      return isGood ? 0 : 1;
    } catch (IOException e) {
      out.println(e.getMessage());
      if (directory != null) out.println("Logs and data are kept in " + directory);
      return 1;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      out.println("The demo was interrupted.");
      return 1;
    }
  }

  private boolean runIn(Path directory) throws IOException, InterruptedException {
    MessageHistory ledger = new MessageHistory();
    SmtpSink.Options slow = SmtpSink.Options.onPort(0).withDelay(Duration.ofMillis(5));
    try (SmtpSink sink = SmtpSink.start(slow, ledger::recordDelivery);
        LocalCluster fleet = LocalCluster.of(NODES, directory, "smtp://127.0.0.1:" + sink.port())) {
      out.println("Three nodes on this machine. A message is on the disks of two of them at least");
      out.println("before its sender hears 250. Half way, one node is killed (kill -9).");
      fleet.start(START_TIMEOUT);
      out.printf(Locale.ROOT, "%5.1f s  all three nodes are ready%n", seconds());
      long killed = sendAndKill(fleet, ledger);
      fleet.start(START_TIMEOUT);
      boolean isEmpty = fleet.awaitEmptyQueues(Duration.ofSeconds(60));
      printStatus(fleet, ledger);
      endOfLine();
      List<String> differences = fleet.compareDigests(DIGEST_TIMEOUT);
      boolean isGood = printResult(fleet, ledger, killed, differences) && isEmpty;
      if (options.keep()) keepRunning(fleet);
      return isGood;
    }
  }

  /** Sends everything and kills the victim in between; the time of the kill. */
  private long sendAndKill(LocalCluster fleet, MessageHistory ledger)
      throws IOException, InterruptedException {
    ChaosOptions.Load load = ChaosOptions.Load.of(options.messages(), RATE);
    NodeProcess victim = fleet.node(VICTIM);
    long killed = 0;
    try (SenderPool traffic = new SenderPool(fleet.smtpAddresses(), ledger, load)) {
      traffic.start();
      while (!traffic.await(STATUS_INTERVAL) && seconds() < options.timeout().toSeconds()) {
        printStatus(fleet, ledger);
        if (killed == 0 && ledger.acknowledged() >= options.messages() / 2) {
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

  /** One line: who is there, and where the mail is. */
  private void printStatus(LocalCluster fleet, MessageHistory ledger) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%5.1f s ", seconds()));
    for (NodeProcess node : fleet.nodes()) {
      String state = !node.isRunning() ? "DOWN" : node.http().isReady() ? "up" : "starting";
      line.append(String.format(Locale.ROOT, " %s %-8s", node.settings().id(), state));
    }
    line.append(
        String.format(
            Locale.ROOT,
            " accepted %5d  delivered %5d  in the queue %s",
            ledger.acknowledged(),
            ledger.delivered(),
            queued(fleet)));
    if (options.isTerminal()) out.print(ERASE_LINE + line);
    else out.println(line);
    out.flush();
  }

  private static String queued(LocalCluster fleet) {
    for (NodeProcess node : fleet.nodes()) {
      OptionalLong size = node.isRunning() ? node.http().queueSize() : OptionalLong.empty();
      if (size.isPresent()) return Long.toString(size.getAsLong());
    }
    return "?";
  }

  private boolean printResult(
      LocalCluster fleet, MessageHistory ledger, long killed, List<String> differences) {
    MessageTally account = ledger.tally(fleet::isQueued);
    out.printf(
        "accepted %d = delivered %d + queued %d + bounced %d; lost %d%n",
        account.acknowledged(),
        account.delivered(),
        account.queued(),
        account.bounced(),
        account.lost().size());
    out.printf(
        "delivered twice %d (deliveries under way when the node died)%n", account.duplicates());
    String name = fleet.node(VICTIM).settings().hostname();
    printDelay("first 250 from another node", ledger.firstAcknowledgement(VICTIM, killed));
    printDelay(
        "first delivery of the dead node's mail by another",
        ledger.firstTakenOver(VICTIM, name, killed));
    for (String difference : differences) out.println("NOT EQUAL: " + difference);
    if (differences.isEmpty()) out.println("the replicas of every spool are equal");
    boolean hasAll = account.acknowledged() == options.messages();
    if (!hasAll) out.println("NOT ALL were accepted in time");
    return hasAll && account.isWhole() && differences.isEmpty();
  }

  private void printDelay(String what, OptionalLong nanos) {
    nanos.ifPresent(n -> out.printf("%s after %d ms%n", what, Duration.ofNanos(n).toMillis()));
  }

  private void keepRunning(LocalCluster fleet) throws InterruptedException {
    for (NodeProcess node : fleet.nodes()) {
      NodeSettings settings = node.settings();
      out.printf(
          "%s  SMTP 127.0.0.1:%d  console %s  configuration %s%n",
          settings.id(), settings.smtpPort(), node.http().url(), settings.configFile());
    }
    out.println("The nodes go on running; Ctrl-C ends them.");
    out.flush();
    while (fleet.nodes().stream().anyMatch(NodeProcess::isRunning)) Thread.sleep(STATUS_INTERVAL);
  }

  private void printEvent(String what) {
    endOfLine();
    out.printf(Locale.ROOT, "%5.1f s  %s%n", seconds(), what);
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
