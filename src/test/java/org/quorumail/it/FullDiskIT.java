package org.quorumail.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.tools.NodeProcess;
import org.quorumail.tools.NodeSettings;
import org.quorumail.tools.SmtpSink;

/** A disk that gets full, below a running node. */
class FullDiskIT {
  private static final Duration START = Duration.ofSeconds(60);
  private static final byte[] CONTENT =
      ("Subject: x\r\n\r\n" + ("x".repeat(78) + "\r\n").repeat(400))
          .getBytes(StandardCharsets.US_ASCII);

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
  void aDiskThatReallyGetsFullLosesNothingThatWasAcknowledged() throws Exception {
    Map<String, Boolean> arrived = new ConcurrentHashMap<>();
    try (SmallDisk disk = SmallDisk.mount(directory.resolve("disk"), "60m");
        SmtpSink sink =
            SmtpSink.start(
                SmtpSink.Options.onPort(0),
                d -> d.recipients().forEach(r -> arrived.put(r, Boolean.TRUE)));
        NodeProcess node = node(disk, "1MB", "smtp://127.0.0.1:" + sink.port())) {
      int port = sink.port();
      sink.close(); // nothing can leave, so the disk fills
      node.start();
      node.awaitReady(START);
      Map<String, Boolean> acknowledged = fill(node);
      await().atMost(Duration.ofSeconds(30)).until(() -> !node.isRunning());
      assertThat(node.logTail())
          .containsIgnoringCase("no space left on device")
          .contains("make room");
      assertThat(Files.readString(node.settings().logFile())).doesNotContain("\tat ", "\\tat ");
      assertThat(acknowledged).hasSizeGreaterThan(50);

      disk.remount("size=400m");
      try (SmtpSink again =
          SmtpSink.start(
              SmtpSink.Options.onPort(port),
              d -> d.recipients().forEach(r -> arrived.put(r, Boolean.TRUE)))) {
        assertThat(again.port()).isEqualTo(port);
        node.start();
        node.awaitReady(START);
        await()
            .atMost(Duration.ofMinutes(2))
            .until(() -> arrived.keySet().containsAll(acknowledged.keySet()));
      }
      assertThat(SmtpTestClient.attempt(node.settings().smtpAddress(), CONTENT).reply())
          .startsWith("250 ");
    }
  }

  /** Sends until the node has ended; returns the recipients of the accepted messages. */
  private static Map<String, Boolean> fill(NodeProcess node) throws Exception {
    Map<String, Boolean> acknowledged = new ConcurrentHashMap<>();
    AtomicInteger next = new AtomicInteger();
    int clients = 4;
    CountDownLatch done = new CountDownLatch(clients);
    for (int i = 0; i < clients; i++) {
      Thread.ofVirtual()
          .start(
              () -> {
                while (node.isRunning() && next.get() < 5_000) {
                  String to = "u" + next.getAndIncrement() + "@sink.test";
                  if (isAccepted(node, to)) acknowledged.put(to, Boolean.TRUE);
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
    } catch (java.io.IOException e) {
      return false;
    }
  }

  private NodeProcess node(SmallDisk disk, String floor, String routeTo) throws Exception {
    NodeSettings settings = NodeSettings.standAlone("one", directory, routeTo);
    disk.holdDataOf(settings, floor);
    return new NodeProcess(settings);
  }
}
