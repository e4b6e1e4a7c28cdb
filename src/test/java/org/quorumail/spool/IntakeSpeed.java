package org.quorumail.spool;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.replication.GroupSpec;
import org.quorumail.replication.RaftMember;
import org.quorumail.replication.RaftNode;
import org.quorumail.replication.RaftSettings;
import org.quorumail.spool.Intake.CommitResult;
import org.quorumail.spool.Intake.MessageWriter;

/**
 * Measures the way in on a group of one, fsync included: {@code IntakeSpeed [sessions] [bytes]
 * [seconds]}. Every message is recorded as delivered right after it was accepted when a fourth
 * argument says {@code out}. Prints the rate, CPU of the process and the heap. Not a test.
 */
final class IntakeSpeed {
  private IntakeSpeed() {}

  public static void main(String[] args) throws Exception {
    int sessions = args.length > 0 ? Integer.parseInt(args[0]) : 20;
    int bytes = args.length > 1 ? Integer.parseInt(args[1]) : 4096;
    int seconds = args.length > 2 ? Integer.parseInt(args[2]) : 10;
    boolean out = args.length > 3 && args[3].equals("out");
    Path directory = Files.createTempDirectory("intake-speed");
    var registry = new SimpleMeterRegistry();
    Spools spools =
        TestSpools.open(
            new Spools.Settings("n1", "mx.example.org", directory.resolve("spool"), 0),
            Clock.systemUTC(),
            registry,
            new Deaf());
    RaftNode raft =
        RaftNode.start(
            RaftSettings.standAlone("speed", "n1", directory.resolve("raft")),
            registry,
            failure -> System.exit(1));
    RaftMember self = new RaftMember("n1", "127.0.0.1", 7);
    Spool spool =
        spools.open("spool-n1", "n1", s -> raft.open(new GroupSpec("spool-n1", List.of(self)), s));
    while (spool.ownedSpool().isEmpty()) Thread.sleep(10);

    run(spools, spool, sessions, bytes, seconds, out);
    run(spools, spool, sessions, bytes, seconds, out);
    var batch = registry.get("spool.batch.size").summary();
    System.out.printf(
        "entries=%d messages_per_entry=%.1f counters=%s%n",
        batch.count(), batch.mean(), spool.counters());
    spools.endOwnership();
    raft.close();
    spools.close();
    StoreFiles.delete(directory);
    System.exit(0);
  }

  private static void run(
      Spools spools, Spool spool, int sessions, int bytes, int seconds, boolean out)
      throws Exception {
    byte[] content = new byte[bytes];
    new Random(1).nextBytes(content);
    AtomicInteger done = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    long begun = System.nanoTime();
    long cpu = cpu();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < sessions; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    do {
                      boolean ok = pass(spools, spool, content, out);
                      (ok ? done : refused).incrementAndGet();
                    } while (System.nanoTime() < end);
                  }));
    }
    for (Thread t : threads) t.join();
    double wall = (System.nanoTime() - begun) / 1e9;
    Runtime runtime = Runtime.getRuntime();
    System.out.printf(
        "sessions=%d bytes=%d accepted=%d refused=%d per_second=%.0f cpu_us_per_message=%.0f"
            + " heap_mb=%d%n",
        sessions,
        bytes,
        done.get(),
        refused.get(),
        done.get() / wall,
        (cpu() - cpu) / 1000.0 / done.get(),
        (runtime.totalMemory() - runtime.freeMemory()) >> 20);
  }

  private static boolean pass(Spools spools, Spool spool, byte[] content, boolean out) {
    QueueId id;
    try (MessageWriter reception = spools.newMessage()) {
      for (int at = 0; at < content.length; at += 8192) {
        reception.write(content, at, Math.min(8192, content.length - at));
      }
      CommitResult verdict =
          reception.commit(
              new Envelope(
                  ReversePath.of("sender@example.com"),
                  List.of(MailAddress.of("a@example.net")),
                  Envelope.BodyType.SEVEN_BIT));
      if (!(verdict instanceof CommitResult.Accepted)) return false;
      id = reception.id();
    } catch (java.io.IOException e) {
      return false;
    }
    if (out)
      spool.ownedSpool().orElseThrow().recordOutcomes(id, List.of(TestMessages.delivered(0)), null);
    return true;
  }

  private static long cpu() {
    var os =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return os.getProcessCpuTime();
  }

  private static final class Deaf implements OwnershipListener {
    @Override
    public void spoolOwned(OwnedSpool spool) {}

    @Override
    public void spoolLost(OwnedSpool spool) {}

    @Override
    public void messageDue(OwnedSpool spool, QueueId id, List<String> domains) {}
  }
}
