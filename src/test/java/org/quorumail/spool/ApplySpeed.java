package org.quorumail.spool;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.spool.SpoolEntry.AttemptOutcomes;
import org.quorumail.spool.SpoolEntry.NewMessage;

/**
 * Measures what applying costs: messages of 4 KiB that come in batches and go in batches.
 * Arguments: messages, how many stay in the queue, messages per entry. Not a test.
 */
final class ApplySpeed {
  private ApplySpeed() {}

  public static void main(String[] args) throws IOException {
    int messages = args.length > 0 ? Integer.parseInt(args[0]) : 200_000;
    int queued = args.length > 1 ? Integer.parseInt(args[1]) : 1_000;
    int batch = args.length > 2 ? Integer.parseInt(args[2]) : 20;
    boolean events = args.length > 3 && args[3].equals("events");
    Path directory = Files.createTempDirectory("apply-speed");
    try (StoreMemory memory = new StoreMemory();
        SpoolStore store = new SpoolStore(directory.resolve("spool"), memory)) {
      SpoolState state = new SpoolState(store, new Deaf());
      state.open();
      run(state, messages / 10, queued, batch, 0, events); // warm up
      long cpu = threadCpu();
      long begun = System.nanoTime();
      run(state, messages, queued, batch, messages, events);
      double n = messages;
      System.out.printf(
          "messages=%d queued=%d per_entry=%d applying_thread_cpu_us=%.1f wall_us=%.1f"
              + " disk_mb=%d%n",
          messages,
          queued,
          batch,
          (threadCpu() - cpu) / n / 1000,
          (System.nanoTime() - begun) / n / 1000,
          size(directory) >> 20);
    } finally {
      StoreFiles.delete(directory);
    }
  }

  private static void run(
      SpoolState state, int messages, int queued, int batch, int first, boolean events)
      throws IOException {
    byte[] content = new byte[4096];
    new Random(1).nextBytes(content);
    long index = state.applied().index() + 1;
    for (int n = 0; n < messages + queued; n += batch) {
      if (n < messages) {
        List<NewMessage> in = new ArrayList<>();
        for (int i = n; i < n + batch; i++) {
          in.add(
              message(first + i, content, "user" + i % 977 + "@d" + i % 50 + ".example", events));
        }
        apply(state, new SpoolEntry.Accept(in), index++);
      }
      if (n >= queued) {
        List<AttemptOutcomes> out = new ArrayList<>();
        for (int i = n - queued; i < n - queued + batch; i++) {
          out.add(
              new AttemptOutcomes(
                  TestMessages.id(first + i),
                  List.of(TestMessages.delivered(0)),
                  null,
                  events ? TestMessages.NOW : 0));
        }
        apply(state, new SpoolEntry.Outcomes(1, out), index++);
      }
    }
  }

  private static NewMessage message(int n, byte[] content, String recipient, boolean events) {
    NewMessage plain = TestMessages.to(TestMessages.id(n), content, recipient);
    if (!events) return plain;
    String id = "<" + n + "@client.example>";
    Arrival arrival = new Arrival("192.0.2.7", "", "client.example", "ESMTP", "", "", id);
    return new NewMessage(plain.message(), plain.prefix(), plain.content(), arrival);
  }

  private static void apply(SpoolState state, SpoolEntry entry, long index) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(SpoolEntryFormat.write(entry)).asReadOnlyBuffer();
    state.apply(new LogPosition(1, index), bytes);
  }

  private static long threadCpu() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static long size(Path root) throws IOException {
    long size = 0;
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) size += Files.size(file);
    }
    return size;
  }

  private static final class Deaf implements SpoolState.StateListener {
    @Override
    public void messageDue(SpooledMessage message) {}

    @Override
    public void becomeLeader(Leadership leadership) {}

    @Override
    public void becomeFollower() {}

    @Override
    public void termApplied(long term) {}

    @Override
    public void termsSkipped() {}
  }
}
