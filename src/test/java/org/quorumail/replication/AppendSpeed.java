package org.quorumail.replication;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Measures a group of one, by hand: {@code AppendSpeed [bytes] [in flight] [seconds]}. Prints
 * entries per second, latency, CPU per entry, and what is left on disk. {@code AppendSpeed idle
 * [groups] [seconds]} prints the CPU share of idle groups.
 */
final class AppendSpeed {
  private static final int SAMPLES_MAX = 1 << 20;

  public static void main(String[] arguments) throws Exception {
    Path directory = Files.createTempDirectory("append-speed");
    try (RaftNode raft =
        RaftNode.start(
            RaftSettings.standAlone("speed", "n1", directory),
            new SimpleMeterRegistry(),
            failure -> System.exit(1))) {
      if (arguments.length > 0 && arguments[0].equals("idle")) idle(raft, arguments);
      else append(raft, directory, arguments);
    } finally {
      org.apache.ratis.util.FileUtils.deleteFully(directory);
    }
    System.exit(0);
  }

  private static void append(RaftNode raft, Path directory, String[] arguments) throws Exception {
    int size = argument(arguments, 0, 4096);
    int inFlight = argument(arguments, 1, 8);
    int seconds = argument(arguments, 2, 10);
    ReplicatedLog log = open(raft, "one");
    run(log, size, inFlight, 5);
    run(log, size, inFlight, seconds);
    System.out.printf("disk: %.1f MB%n", size(directory) / 1e6);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // counted by permits
  private static void run(ReplicatedLog log, int size, int inFlight, int seconds) throws Exception {
    Semaphore permits = new Semaphore(inFlight);
    long[] samples = new long[SAMPLES_MAX];
    AtomicInteger done = new AtomicInteger();
    long cpu = cpuNanos();
    long started = System.nanoTime();
    long end = started + TimeUnit.SECONDS.toNanos(seconds);
    while (System.nanoTime() < end) {
      permits.acquire();
      long sent = System.nanoTime();

      log.append(new byte[size], Duration.ofSeconds(10))
          .whenComplete(
              (appended, failure) -> {
                samples[done.getAndIncrement() % SAMPLES_MAX] = System.nanoTime() - sent;
                permits.release();
              });
    }
    permits.acquire(inFlight);
    int n = done.get();
    double elapsed = (System.nanoTime() - started) / 1e9;
    long[] sorted = Arrays.copyOf(samples, Math.min(n, SAMPLES_MAX));
    Arrays.sort(sorted);
    System.out.printf(
        "%d B, %d in flight: %.0f entries/s, p50 %.2f ms, p99 %.2f ms, CPU %.3f ms/entry%n",
        size,
        inFlight,
        n / elapsed,
        sorted[sorted.length / 2] / 1e6,
        sorted[sorted.length * 99 / 100] / 1e6,
        (cpuNanos() - cpu) / 1e6 / n);
  }

  private static void idle(RaftNode raft, String[] arguments) throws Exception {
    int groups = argument(arguments, 1, 4);
    int seconds = argument(arguments, 2, 30);
    for (int i = 0; i < groups; i++) open(raft, "group-" + i);
    Thread.sleep(5_000);
    long cpu = cpuNanos();
    Thread.sleep(seconds * 1000L);
    System.out.printf(
        "%d idle groups: %.2f %% of a core%n", groups, (cpuNanos() - cpu) / 1e7 / seconds);
  }

  private static ReplicatedLog open(RaftNode raft, String name) throws Exception {
    var spec = new GroupSpec(name, List.of(new RaftMember("n1", "127.0.0.1", 7)));
    ReplicatedLog log = raft.open(spec, new Nothing());
    while (log.leadership().isEmpty()) Thread.sleep(10);
    return log;
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static long size(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    }
  }

  private static int argument(String[] arguments, int index, int otherwise) {
    return arguments.length > index ? Integer.parseInt(arguments[index]) : otherwise;
  }

  /** Applies by counting. */
  private static final class Nothing implements ReplicatedState {
    private volatile LogPosition applied = LogPosition.NONE;

    @Override
    public void open() {}

    @Override
    public LogPosition applied() {
      return applied;
    }

    @Override
    public void check(ByteBuffer entry) {}

    @Override
    public byte[] apply(LogPosition position, ByteBuffer entry) {
      applied = position;
      return new byte[0];
    }

    @Override
    public void skip(LogPosition position) {
      applied = position;
    }

    @Override
    public LogPosition snapshot(Path directory) {
      return applied;
    }

    @Override
    public void install(Path directory) {}

    @Override
    public void becomeLeader(Leadership leadership) {}

    @Override
    public void becomeFollower() {}

    @Override
    public void close() {}
  }
}
