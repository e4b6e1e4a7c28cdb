package org.quorumail.harness;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;

/** Kills and restarts (or pauses and resumes) nodes by a seed, while mail flows. */
final class Disruptor {
  /** Kills of a run without bound would fill the memory of the report. */
  private static final int MAX_DISRUPTIONS = 10_000;

  private static final Duration POLL = Duration.ofMillis(20);

  private final ChaosOptions.Failures options;
  private final Fleet fleet;
  private final DoubtSampler doubt;
  private final PrintStream progress;
  private final Random random;
  private final List<Disruption> disruptions = new CopyOnWriteArrayList<>();
  private final List<Thread> restarts = Collections.synchronizedList(new ArrayList<>());
  private final boolean[] isDown;
  private volatile Thread thread = Thread.ofVirtual().unstarted(() -> {});
  private volatile boolean stopped;

  Disruptor(ChaosOptions.Failures options, Fleet fleet, DoubtSampler doubt, PrintStream progress) {
    this.options = options;
    this.fleet = fleet;
    this.doubt = doubt;
    this.progress = progress;
    this.random = new Random(options.seed());
    this.isDown = new boolean[fleet.size()];
  }

  void start() {
    thread = Thread.ofVirtual().start(this::run);
  }

  List<Disruption> disruptions() {
    return List.copyOf(disruptions);
  }

  private void run() {
    long begin = System.nanoTime();
    boolean killAllIsDue = options.killAllAt().isPresent();
    long nextKill = begin + options.killEvery().toNanos();
    try {
      while (!stopped && disruptions.size() < MAX_DISRUPTIONS) {
        Thread.sleep(POLL);
        long now = System.nanoTime();
        if (killAllIsDue && now - begin >= options.killAllAt().get().toNanos()) {
          killAllIsDue = false;
          killAll();
        }
        if (options.killEvery().isZero() || now < nextKill) continue;
        if (disruptions.size() >= options.max()) return;
        if (options.whenReady() && !fleet.isReady()) continue;
        disruptOne();
        nextKill = System.nanoTime() + options.killEvery().toNanos();
      }
    } catch (InterruptedException e) {
      // stopped from outside
    } catch (IOException e) {
      progress.println("a node could not be disturbed: " + e.getMessage());
    }
  }

  private void disruptOne() throws IOException, InterruptedException {
    int[] up = IntStream.range(0, fleet.size()).filter(i -> !down(i)).toArray();
    if (up.length == 0) return;
    int node = up[random.nextInt(up.length)];
    boolean isPause = options.pause() && random.nextBoolean();
    fail(node, isPause ? Disruption.Kind.PAUSE : Disruption.Kind.KILL, fleet.isReady());
    restartLater(node, isPause);
  }

  private void killAll() throws IOException, InterruptedException {
    List<Integer> order = new ArrayList<>(IntStream.range(0, fleet.size()).boxed().toList());
    for (int node : order) if (!down(node)) fail(node, Disruption.Kind.KILL, false);
    Collections.shuffle(order, random);
    for (int node : order) restartLater(node, false);
  }

  private void fail(int node, Disruption.Kind kind, boolean isClean)
      throws IOException, InterruptedException {
    mark(node, true);
    long inDoubt = doubt.bound(node);
    NodeProcess process = fleet.node(node);
    long at = System.nanoTime();
    if (kind == Disruption.Kind.PAUSE) process.pause();
    else process.kill();
    disruptions.add(new Disruption(kind, node, at, inDoubt, isClean));
    progress.printf(
        "%s %s in_doubt=%d%n",
        kind == Disruption.Kind.PAUSE ? "kill -STOP" : "kill -9", process.settings().id(), inDoubt);
  }

  private void restartLater(int node, boolean isPaused) {
    Runnable restart =
        () -> {
          try {
            Thread.sleep(options.restartAfter());
            if (isPaused) fleet.node(node).resume();
            else fleet.node(node).start();
            mark(node, false);
          } catch (IOException e) {
            progress.println("restart failed: " + e.getMessage());
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        };
    restarts.add(Thread.ofVirtual().start(restart));
  }

  private boolean down(int node) {
    synchronized (isDown) {
      return isDown[node];
    }
  }

  private void mark(int node, boolean down) {
    synchronized (isDown) {
      isDown[node] = down;
    }
  }

  /** No further failures; waits until what is down has been started again. */
  void end() throws InterruptedException {
    stopped = true;
    thread.join();
    for (Thread restart : List.copyOf(restarts)) restart.join();
  }
}
