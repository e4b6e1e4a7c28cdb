package org.quorumail.harness;

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
  private static final Duration START = Duration.ofSeconds(90);
  private static final Duration DOWN = Duration.ofSeconds(2);
  private static final Duration TICK = Duration.ofMillis(500);
  private static final Duration DIGESTS = Duration.ofSeconds(20);
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
      directory = options.directory().isPresent() ? options.directory().get() : Chaos.temporary();
      boolean isGood = show(directory);
      if (isGood && options.directory().isEmpty()) Chaos.remove(directory);
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

  private boolean show(Path directory) throws IOException, InterruptedException {
    Ledger ledger = new Ledger();
    Sink.Options slow = Sink.Options.onPort(0).withDelay(Duration.ofMillis(5));
    try (Sink sink = Sink.start(slow, ledger::deliver);
        Fleet fleet = Fleet.of(NODES, directory, "smtp://127.0.0.1:" + sink.port())) {
      out.println("Three nodes on this machine. A message is on the disks of two of them at least");
      out.println("before its sender hears 250. Half way, one node is killed (kill -9).");
      fleet.start(START);
      out.printf(Locale.ROOT, "%5.1f s  all three nodes are ready%n", seconds());
      long killed = traffic(fleet, ledger);
      fleet.start(START);
      boolean isEmpty = fleet.awaitEmptyQueues(Duration.ofSeconds(60));
      picture(fleet, ledger);
      endOfLine();
      List<String> differences = fleet.compareDigests(DIGESTS);
      boolean isGood = tell(fleet, ledger, killed, differences) && isEmpty;
      if (options.keep()) keep(fleet);
      return isGood;
    }
  }

  /** Sends everything and kills the victim in between; the time of the kill. */
  private long traffic(Fleet fleet, Ledger ledger) throws IOException, InterruptedException {
    ChaosOptions.Load load = ChaosOptions.Load.of(options.messages(), RATE);
    NodeProcess victim = fleet.node(VICTIM);
    long killed = 0;
    try (Traffic traffic = new Traffic(fleet.smtp(), ledger, load)) {
      traffic.start();
      while (!traffic.await(TICK) && seconds() < options.timeout().toSeconds()) {
        picture(fleet, ledger);
        if (killed == 0 && ledger.acknowledged() >= options.messages() / 2) {
          killed = System.nanoTime();
          victim.kill();
          say("kill -9 " + victim.settings().id());
        } else if (killed != 0 && !victim.isRunning() && since(killed) > DOWN.toMillis()) {
          victim.start();
          say(victim.settings().id() + " is started again");
        }
      }
    }
    return killed;
  }

  /** One line: who is there, and where the mail is. */
  private void picture(Fleet fleet, Ledger ledger) {
    StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%5.1f s ", seconds()));
    for (NodeProcess node : fleet.nodes()) {
      String state = !node.isRunning() ? "DOWN" : node.api().isReady() ? "up" : "starting";
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

  private static String queued(Fleet fleet) {
    for (NodeProcess node : fleet.nodes()) {
      OptionalLong size = node.isRunning() ? node.api().queueSize() : OptionalLong.empty();
      if (size.isPresent()) return Long.toString(size.getAsLong());
    }
    return "?";
  }

  private boolean tell(Fleet fleet, Ledger ledger, long killed, List<String> differences) {
    Account account = ledger.account(fleet::isQueued);
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
    after("first 250 from another node", ledger.firstAcknowledgement(VICTIM, killed));
    after(
        "first delivery of the dead node's mail by another",
        ledger.firstTakenOver(VICTIM, name, killed));
    for (String difference : differences) out.println("NOT EQUAL: " + difference);
    if (differences.isEmpty()) out.println("the replicas of every spool are equal");
    boolean hasAll = account.acknowledged() == options.messages();
    if (!hasAll) out.println("NOT ALL were accepted in time");
    return hasAll && account.isWhole() && differences.isEmpty();
  }

  private void after(String what, OptionalLong nanos) {
    nanos.ifPresent(n -> out.printf("%s after %d ms%n", what, Duration.ofNanos(n).toMillis()));
  }

  private void keep(Fleet fleet) throws InterruptedException {
    for (NodeProcess node : fleet.nodes()) {
      NodeSettings settings = node.settings();
      out.printf(
          "%s  SMTP 127.0.0.1:%d  console %s  configuration %s%n",
          settings.id(), settings.smtpPort(), node.api().url(), settings.file());
    }
    out.println("The nodes go on running; Ctrl-C ends them.");
    out.flush();
    while (fleet.nodes().stream().anyMatch(NodeProcess::isRunning)) Thread.sleep(TICK);
  }

  private void say(String what) {
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
