package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.spool.Intake.Readiness;

/** The listener under floods, slow and vanishing clients, limits, and while it drains. */
class SmtpListenerTest {
  @Test
  void aHundredThousandCommandsInOneGoAreAllAnswered() throws Exception {
    try (TestListener server = TestListener.with();
        Client client = new Client(server)) {
      client.expect(220);
      byte[] flood = "NOOP\r\n".repeat(100_000).getBytes(StandardCharsets.US_ASCII);
      CompletableFuture<Void> sent = CompletableFuture.runAsync(() -> client.send(flood));
      for (int i = 0; i < 100_000; i++) client.expect(250);
      sent.join();
    }
  }

  @Test
  void aLineOfAHundredMegabytesIsRefusedOnce() throws Exception {
    try (TestListener server = TestListener.with();
        Client client = new Client(server)) {
      client.expect(220);
      byte[] megabyte = "x".repeat(1_000_000).getBytes(StandardCharsets.US_ASCII);
      for (int i = 0; i < 100; i++) client.send(megabyte);
      client.send("\r\nNOOP\r\n");
      client.expect(500);
      client.expect(250);
    }
  }

  @Test
  void aHundredThousandChunksOfOneOctetAreAMessage() throws Exception {
    try (TestListener server = TestListener.with();
        Client client = new Client(server)) {
      client.beginTransaction();
      byte[] chunks = "BDAT 1\r\nx".repeat(10_000).getBytes(StandardCharsets.US_ASCII);
      CompletableFuture<Void> sent =
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; i < 10; i++) client.send(chunks);
                client.send("BDAT 0 LAST\r\n");
              });
      for (int i = 0; i < 100_000; i++) client.expect(250);
      assertThat(client.expect(250).toString()).contains("queued as");
      sent.join();
      assertThat(server.intake.accepted().getFirst().withoutTrace()).hasSize(100_000);
    }
  }

  @Test
  void aConnectionCutInsideAChunkLeavesNothing() throws Exception {
    try (TestListener server = TestListener.with();
        Client client = new Client(server)) {
      client.beginTransaction();
      client.send("BDAT 5\r\nabcdeBDAT 100 LAST\r\nhalf of i");
      client.expect(250);
      await().until(() -> server.intake.open() == 1);
      client.vanish();
      await().until(() -> server.intake.open() == 0);
      assertThat(server.intake.accepted()).isEmpty();
    }
  }

  @Test
  void aSessionThatEndsBetweenChunksLeavesNothing() throws Exception {
    try (TestListener server = TestListener.with();
        Client client = new Client(server)) {
      client.beginTransaction();
      client.send("BDAT 5\r\nabcdeQUIT\r\n");
      client.expect(250);
      client.expect(221);
      await().until(() -> server.intake.open() == 0);
      assertThat(server.intake.accepted()).isEmpty();
    }
  }

  @Test
  void aConnectionCutInsideDataLeavesNothing() throws Exception {
    try (TestListener server = TestListener.with();
        Client client = new Client(server)) {
      client.beginData();
      client.send("Subject: half\r\n\r\nof a mess");
      await().until(() -> server.intake.open() == 1);
      client.vanish();
      await().until(() -> server.intake.open() == 0);
      assertThat(server.intake.accepted()).isEmpty();
    }
  }

  @Test
  void aClientThatSendsAnOctetNowAndThenMeetsTheDeadlineOfTheCommand() throws Exception {
    try (TestListener server = TestListener.with("command_ms=500");
        Client client = new Client(server)) {
      client.expect(220);
      await()
          .atMost(Duration.ofSeconds(5))
          .pollInterval(Duration.ofMillis(50))
          .until(
              () -> {
                client.send("x");
                return client.answered();
              });
      assertThat(client.expect(421).toString()).startsWith("421 4.4.2");
    }
  }

  @Test
  void aStalledBlockOfDataEndsTheSession() throws Exception {
    try (TestListener server = TestListener.with("block_ms=300");
        Client client = new Client(server)) {
      client.beginData();
      client.send("Subject: never finished\r\n");
      client.expect(421);
      await().until(() -> server.intake.open() == 0);
      assertThat(server.intake.accepted()).isEmpty();
    }
  }

  @Test
  void aClientThatDoesNotReadItsRepliesIsCutOff() throws Exception {
    try (TestListener server = TestListener.with("command_ms=1000");
        Client client = new Client(server)) {
      client.expect(220);
      CompletableFuture<Void> sender =
          CompletableFuture.runAsync(
              () -> {
                byte[] commands = "HELP\r\n".repeat(10_000).getBytes(StandardCharsets.US_ASCII);
                for (int i = 0; i < 10_000; i++) client.send(commands);
              });
      await().atMost(Duration.ofSeconds(15)).until(() -> server.listener.activeConnections() == 0);
      client.vanish();
      assertThat(sender.handle((ok, cut) -> cut != null).join()).isTrue();
    }
  }

  @Test
  void connectionsAboveTheLimitOfAnAddressAreTurnedAwayUntilOneIsFree() throws Exception {
    try (TestListener server = TestListener.with("connections_per_ip=2");
        Client one = new Client(server);
        Client two = new Client(server)) {
      one.expect(220);
      two.expect(220);
      try (Client three = new Client(server)) {
        assertThat(three.expect(421).toString()).startsWith("421 4.7.0");
      }
      one.send("QUIT\r\n");
      one.expect(221);
      await().until(() -> server.listener.activeConnections() == 1);
      try (Client four = new Client(server)) {
        four.expect(220);
      }
    }
  }

  @Test
  void connectionsAboveTheLimitOfTheListenerAreTurnedAway() throws Exception {
    try (TestListener server = TestListener.with("connections=1");
        Client one = new Client(server)) {
      one.expect(220);
      try (Client two = new Client(server)) {
        two.expect(421);
      }
      assertThat(server.meters.get("smtp.connections.rejected").counter().count()).isEqualTo(1);
    }
  }

  @Test
  void drainingEndsIdleSessionsAndLetsTransactionsFinish() throws Exception {
    try (TestListener server = TestListener.with();
        Client idle = new Client(server);
        Client busy = new Client(server)) {
      idle.expect(220);
      busy.beginData();
      CompletableFuture<Boolean> drained =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return server.listener.drain(Duration.ofSeconds(10));
                } catch (InterruptedException e) {
                  return false;
                }
              });
      assertThat(idle.expect(421).toString()).startsWith("421 4.3.2");
      busy.send("Subject: last\r\n\r\n.\r\n");
      busy.expect(250);
      assertThat(drained.join()).isTrue();
      assertThat(server.intake.accepted()).hasSize(1);
    }
  }

  @Test
  void aSpoolThatTakesNoMailForAWhileEndsIdleSessionsAndTheListenerStays() throws Exception {
    try (TestListener server = TestListener.with();
        Client idle = new Client(server);
        Client busy = new Client(server)) {
      idle.expect(220);
      busy.beginData();
      server.intake.readiness(Readiness.DRAINING);
      try (Client late = new Client(server)) {
        assertThat(late.expect(421).toString()).startsWith("421 4.3.2");
      }
      assertThat(server.listener.transactions()).isEqualTo(1);
      server.listener.endIdleSessions();
      assertThat(idle.expect(421).toString()).startsWith("421 4.3.2");
      busy.send("Subject: last\r\n\r\n.\r\nMAIL FROM:<a@client.example>\r\n");
      busy.expect(250);
      busy.expect(421);
      await().until(() -> server.listener.transactions() == 0);
      assertThat(server.intake.accepted()).hasSize(1);
      server.intake.readiness(Readiness.READY);
      try (Client again = new Client(server)) {
        again.beginData();
        assertThat(server.listener.transactions()).isEqualTo(1);
        server.listener.closeSessions();
        await().until(() -> server.listener.transactions() == 0);
        assertThat(server.intake.accepted()).as("cut off, and not answered").hasSize(1);
      }
    }
  }

  @Test
  void aQuorumThatStaysAwayTurnsNewConnectionsAway() throws Exception {
    try (TestListener server = TestListener.with()) {
      server.intake.readiness(Readiness.NO_QUORUM);
      try (Client early = new Client(server)) {
        early.expect(220); // an election may be over before MAIL
      }
      await()
          .atMost(Duration.ofSeconds(6))
          .pollInterval(Duration.ofMillis(200))
          .until(
              () -> {
                try (Client later = new Client(server)) {
                  return later.reply().toString().startsWith("421 4.3.2");
                }
              });
    }
  }

  @Test
  void aSpoolThatFailsInTheMiddleIsReportedAfterTheDotAndTheSessionGoesOn() throws Exception {
    try (TestListener server = TestListener.with();
        Client client = new Client(server)) {
      server.intake.failWrites();
      client.beginData();
      client.send("Subject: x\r\n\r\n" + "text\r\n".repeat(10_000) + ".\r\nNOOP\r\n");
      assertThat(client.expect(451).toString()).startsWith("451 4.3.0");
      client.expect(250);
    }
  }

  @Test
  void aMessageOfTwentyMegabytesArrivesWhole() throws Exception {
    try (TestListener server = TestListener.with();
        Client client = new Client(server)) {
      client.beginData();
      String body = ("0123456789".repeat(7) + "\r\n").repeat(280_000);
      client.send(body);
      client.send(".\r\n");
      client.expect(250);
      assertThat(server.intake.accepted().getFirst().withoutTrace()).isEqualTo(body);
    }
  }

  /** A client that sends raw octets and reads replies. */
  private static final class Client implements AutoCloseable {
    private static final List<String> TO_DATA =
        List.of(
            "EHLO client.example",
            "MAIL FROM:<a@client.example>",
            "RCPT TO:<b@local.example>",
            "DATA");

    private final Socket socket;
    private final SmtpReader reader;

    Client(TestListener server) throws IOException {
      socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
      socket.setSoTimeout(15_000);
      reader = new SmtpReader(socket.getInputStream(), () -> {});
    }

    void beginTransaction() throws IOException {
      expect(220);
      for (String command : TO_DATA) if (!command.equals("DATA")) send(command + "\r\n");
      for (int i = 0; i < 3; i++) expect(250);
    }

    void beginData() throws IOException {
      expect(220);
      for (String command : TO_DATA) send(command + "\r\n");
      expect(250);
      expect(250);
      expect(250);
      expect(354);
    }

    Reply expect(int code) throws IOException {
      Reply reply = reply();
      assertThat(reply.code()).as(reply.toString()).isEqualTo(code);
      return reply;
    }

    Reply reply() throws IOException {
      return reader.readReply();
    }

    boolean answered() throws IOException {
      return socket.getInputStream().available() > 0;
    }

    void send(String text) {
      send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    void send(byte[] bytes) {
      try {
        socket.getOutputStream().write(bytes);
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }

    void vanish() throws IOException {
      socket.close();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
