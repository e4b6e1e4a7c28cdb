package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.LocalCluster;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/** A disk that gets full, below a running node. */
class FullDiskIT {
  private static final Duration START = Duration.ofSeconds(60);
  private static final byte[] CONTENT =
      ("Subject: x\r\n\r\n" + ("x".repeat(78) + "\r\n").repeat(400))
          .getBytes(StandardCharsets.US_ASCII);

  private static final int REFUSALS = 200;

  @TempDir private Path directory;

  @Test
  void belowTheFloorMailIsRefusedAndAboveItTakenAgain() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), "80m");
        NodeProcess node = node(disk, "30MB", "smtp://127.0.0.1:1")) {
      node.start();
      node.awaitReady(START);
      assertThat(SmtpTestClient.attempt(node.settings().smtpAddress(), CONTENT).reply())
          .startsWith("250 ");
      Path filler = Files.write(disk.path().resolve("filler"), new byte[40 << 20]);
      await()
          .atMost(Duration.ofSeconds(20))
          .until(
              () ->
                  SmtpTestClient.attempt(node.settings().smtpAddress(), CONTENT)
                      .reply()
                      .startsWith("452 4.3.1"));
      assertThat(node.http().isReady()).isFalse();
      Files.delete(filler);
      await()
          .atMost(Duration.ofSeconds(20))
          .until(
              () ->
                  SmtpTestClient.attempt(node.settings().smtpAddress(), CONTENT)
                      .reply()
                      .startsWith("250 "));
    }
  }

  @Test
  void aQueueThatFillsTheDiskDrainsByItselfWhenTheNextHopIsBack() throws Exception {
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    int sinkPort = NodeSettings.freePort();
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), "120m");
        NodeProcess node = node(disk, "1MB", "smtp://127.0.0.1:" + sinkPort)) {
      node.start();
      node.awaitReady(START);
      Set<String> acknowledged = fill(node);
      assertThat(acknowledged).hasSizeGreaterThan(50);
      assertThat(node.isRunning()).as(node.logTail()).isTrue();
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        await().atMost(Duration.ofMinutes(2)).until(() -> arrived.containsAll(acknowledged));
        await().atMost(Duration.ofSeconds(60)).until(() -> isAccepted(node, "last@sink.test"));
      }
      assertThat(Files.readString(node.settings().logFile())).doesNotContain("\tat ", "\\tat ");
    }
  }

  /** Another program takes all that is left; whatever the node does then, no mail is lost. */
  @Test
  void aDiskThatIsFullAtOnceLosesNothingThatWasAcknowledged() throws Exception {
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    int sinkPort = NodeSettings.freePort();
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), "200m");
        NodeProcess node = node(disk, "1MB", "smtp://127.0.0.1:" + sinkPort)) {
      node.start();
      node.awaitReady(START);
      Set<String> acknowledged = ConcurrentHashMap.newKeySet();
      for (int i = 0; i < 20; i++) {
        if (isAccepted(node, "a" + i + "@sink.test")) acknowledged.add("a" + i + "@sink.test");
      }
      Path filler = disk.path().resolve("filler");
      fillUp(filler);
      acknowledged.addAll(fill(node));
      fillUp(filler);
      assertThat(acknowledged).hasSizeGreaterThan(15);
      Files.delete(filler);
      if (!node.isRunning()) {
        assertThat(node.logTail())
            .containsIgnoringCase("no space left on device")
            .contains("make room");
        node.start();
      }
      node.awaitReady(START);
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        await().atMost(Duration.ofMinutes(2)).until(() -> arrived.containsAll(acknowledged));
      }
      assertThat(Files.readString(node.settings().logFile())).doesNotContain("\tat ", "\\tat ");
    }
  }

  /** The replicas of three spools share each disk, and each node refuses by its own. */
  @Test
  void threeNodesWhoseDisksAreFullDrainByThemselves() throws Exception {
    Set<String> arrived = ConcurrentHashMap.newKeySet();
    Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    int sinkPort = NodeSettings.freePort();
    String nextHop = "smtp://127.0.0.1:" + sinkPort;
    try (SmallDisk first = SmallDisk.mount(directory.resolve("disk-1"), "240m");
        SmallDisk second = SmallDisk.mount(directory.resolve("disk-2"), "240m");
        SmallDisk third = SmallDisk.mount(directory.resolve("disk-3"), "240m");
        LocalCluster cluster = LocalCluster.of(3, directory, nextHop)) {
      List<SmallDisk> disks = List.of(first, second, third);
      for (int i = 0; i < 3; i++) disks.get(i).holdDataOf(cluster.node(i).settings(), "40MB");
      cluster.start(START);
      for (NodeProcess node : cluster.nodes()) acknowledged.addAll(fill(node));
      assertThat(acknowledged).hasSizeGreaterThan(100);
      for (NodeProcess node : cluster.nodes())
        assertThat(node.isRunning()).as(node.logTail()).isTrue();
      try (SmtpSink sink =
          SmtpSink.start(
              SmtpSink.Options.onPort(sinkPort), mail -> arrived.addAll(mail.recipients()))) {
        await().atMost(Duration.ofMinutes(2)).until(() -> arrived.containsAll(acknowledged));
        for (NodeProcess node : cluster.nodes())
          await().atMost(Duration.ofSeconds(60)).until(() -> isAccepted(node, "last@sink.test"));
      }
      assertThat(cluster.compareDigests(Duration.ofSeconds(60))).isEmpty();
      for (NodeProcess node : cluster.nodes())
        assertThat(Files.readString(node.settings().logFile())).doesNotContain("\tat ", "\\tat ");
    }
  }

  private static void fillUp(Path filler) {
    try (OutputStream out =
        Files.newOutputStream(filler, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      while (true) out.write(new byte[64 << 10]);
    } catch (IOException e) {
      // full, which is what is wanted
    }
  }

  /**
   * Sends until the node refuses mail, {@value #REFUSALS} times in a row, or has ended; returns the
   * recipients of the accepted messages.
   */
  private static Set<String> fill(NodeProcess node) throws Exception {
    Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    AtomicInteger next = new AtomicInteger();
    AtomicInteger refused = new AtomicInteger();
    int clients = 4;
    CountDownLatch done = new CountDownLatch(clients);
    for (int i = 0; i < clients; i++) {
      Thread.ofVirtual()
          .start(
              () -> {
                while (node.isRunning() && next.get() < 20_000 && refused.get() < REFUSALS) {
                  String to = node.settings().id() + "-" + next.getAndIncrement() + "@sink.test";
                  if (isAccepted(node, to)) {
                    acknowledged.add(to);
                    refused.set(0);
                  } else {
                    refused.incrementAndGet();
                  }
                }
                done.countDown();
              });
    }
    done.await();
    return acknowledged;
  }

  private static boolean isAccepted(NodeProcess node, String to) {
    try (SmtpTestClient client = new SmtpTestClient(node.settings().smtpAddress())) {
      client.request("EHLO test");
      return client.send("a@it.test", List.of(to), CONTENT).startsWith("250 ");
    } catch (IOException e) {
      return false;
    }
  }

  private NodeProcess node(SmallDisk disk, String floor, String routeTo) throws Exception {
    NodeSettings settings = NodeSettings.standAlone("one", directory, routeTo);
    disk.holdDataOf(settings, floor);
    return new NodeProcess(settings);
  }
}
