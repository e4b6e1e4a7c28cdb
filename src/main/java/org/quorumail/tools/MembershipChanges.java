package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The changes of a cluster's members that {@code chaos --membership} makes while mail flows, one
 * after the other: the next begins when all nodes are members, ready and healthy again. A seed
 * chooses their order and the nodes; each kind occurs once in five changes. Orders are given as an
 * operator gives them, by the commands of the program.
 */
final class MembershipChanges {
  /** Of a machine that runs other work beside: a spool must be dissolved before a node rejoins. */
  private static final Duration STEP_TIMEOUT = Duration.ofMinutes(3);

  private static final Duration POLL = Duration.ofMillis(200);

  private final LocalCluster cluster;
  private final FaultInjector injector;
  private final Duration downtime;
  private final Random random;
  private final PrintStream progress;
  private final List<InjectedFault.Kind> next = new ArrayList<>();

  /** Of these every change is one. */
  static final List<InjectedFault.Kind> KINDS =
      List.of(
          InjectedFault.Kind.KILL,
          InjectedFault.Kind.MAINTENANCE,
          InjectedFault.Kind.WIPE,
          InjectedFault.Kind.REPLACE,
          InjectedFault.Kind.LEAVE);

  /**
   * @param downtime of a killed node, and the length of a maintenance
   */
  MembershipChanges(
      LocalCluster cluster,
      FaultInjector injector,
      Duration downtime,
      Random random,
      PrintStream progress) {
    this.cluster = cluster;
    this.injector = injector;
    this.downtime = downtime;
    this.random = random;
    this.progress = progress;
  }

  /** The number of changes of each kind; empty when there was none but kills. */
  static Map<String, Long> count(List<InjectedFault> faults) {
    return faults.stream()
        .map(InjectedFault::kind)
        .filter(kind -> KINDS.contains(kind) && kind != InjectedFault.Kind.KILL)
        .collect(
            Collectors.groupingBy(
                kind -> kind.name().toLowerCase(Locale.ROOT), TreeMap::new, Collectors.counting()));
  }

  /** Makes one change and waits until the cluster is whole again. */
  void changeOne() throws IOException, InterruptedException {
    if (next.isEmpty()) {
      next.addAll(KINDS);
      Collections.shuffle(next, random);
    }
    InjectedFault.Kind kind = next.removeLast();
    List<Integer> order = new ArrayList<>(IntStream.range(0, cluster.size()).boxed().toList());
    Collections.shuffle(order, random);
    int node = order.getFirst();
    NodeProcess other = cluster.node(order.get(1));
    long begin = System.nanoTime();
    switch (kind) {
      case KILL -> killAndRestart(node);
      case MAINTENANCE -> maintain(node);
      case WIPE -> wipe(node, other);
      case REPLACE -> replace(node, other);
      case LEAVE -> leave(node);
      case PAUSE, RESTART -> throw new IllegalStateException(kind + " is no change of members");
    }
    await("all nodes are members and healthy", this::isWhole);
    progress.printf(
        "%s of %s done after %.1f s%n", kind, id(node), (System.nanoTime() - begin) / 1e9);
  }

  private void killAndRestart(int node) throws IOException, InterruptedException {
    injector.fail(node, InjectedFault.Kind.KILL, true);
    Thread.sleep(downtime);
    restart(node);
  }

  private void maintain(int node) throws IOException, InterruptedException {
    injector.planned(InjectedFault.Kind.MAINTENANCE, node);
    String timeout = STEP_TIMEOUT.toSeconds() + "s";
    order(cluster.node(node), "maintenance", "enter", "--drain-timeout", timeout);
    Thread.sleep(downtime);
    order(cluster.node(node), "maintenance", "exit");
  }

  /** The node loses its disk; the cluster removes it, and it joins with an empty directory. */
  private void wipe(int node, NodeProcess other) throws IOException, InterruptedException {
    injector.fail(node, InjectedFault.Kind.WIPE, true);
    await(id(node) + " is seen as gone", () -> "disconnected".equals(status(other, node)));
    order(other, "cluster", "remove", id(node), "--yes");
    rejoin(node);
  }

  private void replace(int node, NodeProcess replacement) throws IOException, InterruptedException {
    injector.planned(InjectedFault.Kind.REPLACE, node);
    order(replacement, "cluster", "replace", id(node), replacement.settings().id(), "--yes");
    awaitEnd(node);
    rejoin(node);
  }

  private void leave(int node) throws IOException, InterruptedException {
    injector.planned(InjectedFault.Kind.LEAVE, node);
    order(cluster.node(node), "cluster", "leave", "--yes");
    awaitEnd(node);
    rejoin(node);
  }

  private void awaitEnd(int node) throws IOException, InterruptedException {
    await(id(node) + " has ended", () -> !cluster.node(node).isRunning());
    injector.ended(node);
  }

  private void rejoin(int node) throws IOException, InterruptedException {
    Path data = cluster.node(node).settings().dataDirectory();
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
    }
    restart(node);
  }

  private void restart(int node) throws IOException, InterruptedException {
    cluster.node(node).start();
    injector.restarted(node);
    cluster.node(node).awaitReady(STEP_TIMEOUT);
  }

  private boolean isWhole() {
    return cluster.nodes().stream()
        .allMatch(
            node ->
                node.http().isReady()
                    && node.http().nodeStatuses().size() == cluster.size()
                    && node.http().clusterState().equals("Healthy"));
  }

  private String status(NodeProcess observer, int node) {
    return observer.http().nodeStatuses().getOrDefault(id(node), "");
  }

  private String id(int node) {
    return cluster.node(node).settings().id();
  }

  private static void order(NodeProcess node, String... command)
      throws IOException, InterruptedException {
    NodeProcess.CommandOutput output = node.command(STEP_TIMEOUT.plusSeconds(30), command);
    if (output.exitCode() != 0) {
      throw new IOException(
          "%s on %s: %s"
              .formatted(Arrays.toString(command), node.settings().id(), output.text().strip()));
    }
  }

  private static void await(String what, BooleanSupplier condition)
      throws IOException, InterruptedException {
    long until = System.nanoTime() + STEP_TIMEOUT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - until > 0)
        throw new IOException("not within %d s: %s".formatted(STEP_TIMEOUT.toSeconds(), what));
      Thread.sleep(POLL);
    }
  }
}
