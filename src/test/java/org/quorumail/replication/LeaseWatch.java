package org.quorumail.replication;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.quorumail.cluster.NodeCertificate;
import org.quorumail.cluster.NodeCredentials;
import org.quorumail.config.Secret;

/**
 * One of three processes to stop and resume by hand: {@code LeaseWatch DIRECTORY NUMBER GROUPS
 * PORT...}. Prints each change of a lease with its time, and every ten seconds the CPU used.
 */
final class LeaseWatch {
  private LeaseWatch() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    int number = Integer.parseInt(arguments[1]);
    int groups = Integer.parseInt(arguments[2]);
    List<Integer> ports = Stream.of(arguments).skip(3).map(Integer::valueOf).toList();
    List<RaftMember> peers =
        IntStream.range(0, ports.size())
            .mapToObj(i -> new RaftMember("n" + i, "127.0.0.1", ports.get(i)))
            .toList();
    Secret secret = Secret.parse(Base64.getEncoder().encodeToString(new byte[32]));
    NodeCertificate certificate = NodeCertificate.derive(secret, "n" + number, Set.of("127.0.0.1"));
    var credentials = new NodeCredentials(certificate, List.of());
    var settings =
        RaftSettings.clusterMember(
            "watch",
            "n" + number,
            "127.0.0.1",
            ports.get(number),
            directory.resolve("n" + number).resolve("raft"),
            new RaftTls.Managers(
                credentials.keyManager(),
                credentials.trustManager(),
                (c, peer) -> NodeCertificate.names(c).contains(peer)));
    RaftNode raft = RaftNode.start(settings, new SimpleMeterRegistry(), failure -> System.exit(1));
    List<ReplicatedLog> logs = new ArrayList<>();
    for (int g = 0; g < groups; g++) {
      Path own = Files.createDirectories(directory.resolve("n" + number).resolve("g" + g));
      logs.add(raft.open(new GroupSpec("g" + g, peers), new CountingState(own)));
    }
    watch(logs);
  }

  private static void watch(List<ReplicatedLog> logs) throws InterruptedException {
    boolean[] held = new boolean[logs.size()];
    long cpu = cpuNanos();
    long reported = System.nanoTime();
    while (true) {
      for (int g = 0; g < held.length; g++) {
        boolean now = logs.get(g).leadership().map(Leadership::hasLease).orElse(false);
        if (now != held[g]) System.out.println(Instant.now() + " g" + g + " lease=" + now);
        held[g] = now;
      }
      Thread.sleep(Long.getLong("poll", 5));
      if (System.nanoTime() - reported < 10_000_000_000L) continue;
      System.out.printf("%s CPU %.2f %%%n", Instant.now(), (cpuNanos() - cpu) / 1e8);
      cpu = cpuNanos();
      reported = System.nanoTime();
    }
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }
}
