package org.quorumail.tools;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;

/** Kills and restarts, or pauses and resumes, nodes while mail flows; a seed chooses the nodes. */
final class FaultInjector {
  /** Bounds the memory of the report. */
  private static final int MAX_FAULTS = 10_000;

  private static final Duration POLL = Duration.ofMillis(20);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration READY_TIMEOUT = Duration.ofSeconds(90);

  private final ChaosOptions.FaultSchedule options;
  private final LocalCluster cluster;
  private final InDoubtSampler inDoubt;
  private final PrintStream progress;
  private final Random random;
  private final List<InjectedFault> faults = new CopyOnWriteArrayList<>();
  private final List<Thread> restarts = Collections.synchronizedList(new ArrayList<>());
  private final boolean[] downNodes;
  private volatile Thread thread = Thread.ofVirtual().unstarted(() -> {});
  private final List<Duration> stopTimes = new CopyOnWriteArrayList<>();
  private final List<String> problems = new CopyOnWriteArrayList<>();
  private volatile boolean stopped;

  FaultInjector(
      ChaosOptions.FaultSchedule options,
      LocalCluster cluster,
      InDoubtSampler inDoubt,
      PrintStream progress) {
    this.options = options;
    this.cluster = cluster;
    this.inDoubt = inDoubt;
    this.progress = progress;
    this.random = new Random(options.seed());
    this.downNodes = new boolean[cluster.size()];
  }

  void start() {
    Runnable faultLoop =
        switch (options.order()) {
          case RANDOM -> this::run;
          case ROLLING -> this::restartAll;
          case MEMBERSHIP -> this::changeMembers;
        };
    thread = Thread.ofVirtual().start(faultLoop);
  }

  List<InjectedFault> faults() {
    return List.copyOf(faults);
  }

  /** The time that each planned stop took. */
  List<Duration> stopTimes() {
    return List.copyOf(stopTimes);
  }

  /** One sentence for each planned restart that failed or came too late. */
  List<String> problems() {
    return List.copyOf(problems);
  }

  private void restartAll() {
    try {
      for (int node = 0; node < cluster.size(); node++) {
        Thread.sleep(options.killEvery());
        if (stopped) {
          problems.add(
              "only %d of %d nodes were restarted while mail flowed: send more messages"
                  .formatted(node, cluster.size()));
          return;
        }
        restart(node);
      }
    } catch (InterruptedException e) {
      // stopped from outside
    } catch (IOException e) {
      problems.add("a node could not be restarted: " + e.getMessage());
    }
  }

  private void changeMembers() {
    Duration downtime = options.restartAfter();
    MembershipChanges changes = new MembershipChanges(cluster, this, downtime, random, progress);
    int made = 0;
    try {
      for (; made < options.maxFaults(); made++) {
        Thread.sleep(options.killEvery());
        if (stopped) break;
        changes.changeOne();
      }
    } catch (InterruptedException e) {
      // stopped from outside
    } catch (IOException e) {
      problems.add("a change of the members failed: " + e.getMessage());
    }
    if (problems.isEmpty() && made < Math.min(options.maxFaults(), MembershipChanges.KINDS.size()))
      problems.add(
          "only " + made + " changes of the members while mail flowed: send more messages");
  }

  /** Notes a change that an operator orders: nothing may be in doubt by it. */
  void planned(InjectedFault.Kind kind, int node) {
    faults.add(new InjectedFault(kind, node, System.nanoTime(), 0, true));
    progress.printf("%s of %s%n", kind, cluster.node(node).settings().id());
  }

  /** Notes that a node has ended by itself, as it should. */
  void ended(int node) {
    setDown(node, true);
    inDoubt.killed(node);
  }

  void restarted(int node) {
    setDown(node, false);
  }

  private void restart(int node) throws IOException, InterruptedException {
    NodeProcess process = cluster.node(node);
    long at = System.nanoTime();
    faults.add(new InjectedFault(InjectedFault.Kind.RESTART, node, at, 0, true));
    int exit = process.stop(STOP_TIMEOUT);
    Duration took = Duration.ofNanos(System.nanoTime() - at);
    stopTimes.add(took);
    if (exit != 0) problems.add(process.settings().id() + " ended with exit code " + exit);
    progress.printf("%s stopped in %.1f s%n", process.settings().id(), took.toMillis() / 1e3);
    Thread.sleep(options.restartAfter());
    process.start();
    process.awaitReady(READY_TIMEOUT);
    for (NodeProcess other : cluster.nodes()) other.awaitReady(READY_TIMEOUT);
    progress.printf(
        "%s is back, all are ready after %.1f s%n",
        process.settings().id(), (System.nanoTime() - at) / 1e9);
  }

  private void run() {
    long begin = System.nanoTime();
    boolean killAllIsDue = options.killAllAt().isPresent();
    long nextKill = begin + options.killEvery().toNanos();
    try {
      while (!stopped && faults.size() < MAX_FAULTS) {
        Thread.sleep(POLL);
        long now = System.nanoTime();
        if (killAllIsDue && now - begin >= options.killAllAt().get().toNanos()) {
          killAllIsDue = false;
          killAll();
        }
        if (options.killEvery().isZero() || now < nextKill) continue;
        if (faults.size() >= options.maxFaults()) return;
        if (options.whenReady() && !cluster.isReady()) continue;
        failOne();
        nextKill = System.nanoTime() + options.killEvery().toNanos();
      }
    } catch (InterruptedException e) {
      // stopped from outside
    } catch (IOException e) {
      progress.println("a fault could not be injected: " + e.getMessage());
    }
  }

  private void failOne() throws IOException, InterruptedException {
    int[] up = IntStream.range(0, cluster.size()).filter(i -> !isDown(i)).toArray();
    if (up.length == 0) return;
    int node = up[random.nextInt(up.length)];
    boolean isPause = options.pause() && random.nextBoolean();
    fail(node, isPause ? InjectedFault.Kind.PAUSE : InjectedFault.Kind.KILL, cluster.isReady());
    restartLater(node, isPause);
  }

  private void killAll() throws IOException, InterruptedException {
    List<Integer> order = new ArrayList<>(IntStream.range(0, cluster.size()).boxed().toList());
    for (int node : order) if (!isDown(node)) fail(node, InjectedFault.Kind.KILL, false);
    Collections.shuffle(order, random);
    for (int node : order) restartLater(node, false);
  }

  void fail(int node, InjectedFault.Kind kind, boolean quorumSurvives)
      throws IOException, InterruptedException {
    setDown(node, true);
    long duplicates = inDoubt.upperBound(node);
    NodeProcess process = cluster.node(node);
    long at = System.nanoTime();
    if (kind == InjectedFault.Kind.PAUSE) {
      process.pause();
    } else {
      process.kill();
      inDoubt.killed(node);
    }
    faults.add(new InjectedFault(kind, node, at, duplicates, quorumSurvives));
    progress.printf(
        "%s %s in_doubt=%d%n",
        kind == InjectedFault.Kind.PAUSE ? "kill -STOP" : "kill -9 (" + kind + ")",
        process.settings().id(),
        duplicates);
  }

  private void restartLater(int node, boolean isPaused) {
    Runnable restart =
        () -> {
          try {
            Thread.sleep(options.restartAfter());
            if (isPaused) cluster.node(node).resume();
            else cluster.node(node).start();
            setDown(node, false);
          } catch (IOException e) {
            progress.println("restart failed: " + e.getMessage());
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    restarts.add(Thread.ofVirtual().start(restart));
  }

  private boolean isDown(int node) {
    synchronized (downNodes) {
      return downNodes[node];
    }
  }

  private void setDown(int node, boolean down) {
    synchronized (downNodes) {
      downNodes[node] = down;
    }
  }

  /** Injects no further fault and waits until all nodes that are down have been restarted. */
  void stop() throws InterruptedException {
    stopped = true;
    thread.join();
    for (Thread restart : List.copyOf(restarts)) restart.join();
  }
}
