package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.smtp.ClientTlsContexts;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.smtp.TestCertificates;
import org.quorumail.smtp.server.MemoryBudget.Use;
import org.quorumail.tls.ServerTls;

@Execution(ExecutionMode.CONCURRENT)
class SessionMemoryTest {
  private static final String BEGIN = "EHLO c\r\nMAIL FROM:<a@c.example>\r\n";
  private static final String ENVELOPE = BEGIN + "RCPT TO:<b@local.example>\r\n";

  @TempDir private static Path folder;

  @Test
  void laterUsesHaveRoomThatEarlierOnesHaveNot() {
    MemoryBudget budget = new MemoryBudget(1_000);
    assertThat(budget.tryReserve(700, Use.CONNECTION)).isTrue();
    assertThat(budget.tryReserve(1, Use.CONNECTION)).isFalse();
    assertThat(budget.tryReserve(100, Use.TRANSACTION)).isTrue();
    assertThat(budget.tryReserve(1, Use.TRANSACTION)).isFalse();
    assertThat(budget.tryReserve(100, Use.RECIPIENT)).isTrue();
    assertThat(budget.tryReserve(1, Use.RECIPIENT)).isFalse();
    assertThat(budget.tryReserve(100, Use.CONTENT)).isTrue();
    assertThat(budget.tryReserve(1, Use.CONTENT)).isFalse();
    assertThat(budget.used()).isEqualTo(1_000); // what was refused is not charged
    budget.release(1_000);
    assertThat(budget.tryReserve(700, Use.CONNECTION)).isTrue();
  }

  @Test
  void aSessionReturnsExactlyWhatItCharged() {
    MemoryBudget budget = new MemoryBudget(1 << 20);
    SessionMemory memory = SessionMemory.open(budget, 2_048).orElseThrow();
    assertThat(memory.tryReserveTls()).isTrue();
    long connection = budget.used();
    assertThat(memory.tryReserve(1_000, Use.CONTENT)).isTrue();
    memory.release(400);
    assertThat(budget.used()).isEqualTo(connection + 600);
    assertThatThrownBy(() -> memory.release(601)).isInstanceOf(IllegalArgumentException.class);
    memory.endTransaction();
    memory.endTransaction();
    assertThat(budget.used()).isEqualTo(connection);
    assertThat(memory.tryReserve(1_000, Use.CONTENT)).isTrue();
    memory.close();
    memory.close();
    assertThat(budget.used()).isZero();
    assertThat(memory.tryReserve(1, Use.CONTENT)).isFalse();
    assertThat(memory.tryReserveTls()).isFalse();
    assertThat(budget.used()).isZero();
  }

  @Test
  void aConnectionThatIsRefusedChargesNothing() {
    MemoryBudget budget = new MemoryBudget(10_000);
    assertThat(SessionMemory.open(budget, 2_048)).isEqualTo(Optional.empty());
    assertThat(budget.used()).isZero();
  }

  @Test
  void theDefaultIsAShareOfTheHeapAndNoSettingExceedsIt() {
    long heap = Runtime.getRuntime().maxMemory();
    assertThat(MemoryBudget.defaultBytes()).isBetween(heap / 4, heap * 3 / 4);
    var meters = new io.micrometer.core.instrument.simple.SimpleMeterRegistry();
    MemoryBudget budget = MemoryBudget.within(Long.MAX_VALUE / 2, meters);
    assertThat(budget.limit()).isLessThanOrEqualTo(heap * 3 / 4);
    budget.tryReserve(5, Use.CONTENT);
    assertThat(meters.get("smtp.memory.used").gauge().value()).isEqualTo(5);
    assertThat(meters.get("smtp.memory.limit").gauge().value()).isEqualTo((double) budget.limit());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "EHLO c\r\n",
        BEGIN,
        ENVELOPE,
        ENVELOPE + "RCPT TO:<c@local.example> ORCPT=rfc822;c@d\r\nRCPT TO:<b@local.example>\r\n",
        ENVELOPE + "RSET\r\n",
        ENVELOPE + "EHLO again\r\n",
        ENVELOPE + "QUIT\r\n",
        ENVELOPE + "DATA\r\n",
        ENVELOPE + "DATA\r\n50000",
        ENVELOPE + "DATA\r\ntext\r\n.\r\n",
        ENVELOPE + "DATA\r\ntext\n.\r\n.\r\n",
        ENVELOPE + "DATA\r\ntext\r\n.\r\nQUIT\r\n",
        ENVELOPE + "BDAT 3\r\nabc",
        ENVELOPE + "BDAT 3\r\nabcBDAT 3 LAST\r\nd\r\n",
        ENVELOPE + "BDAT 3\r\nabcBDAT 99999999\r\n",
        ENVELOPE + "BDAT 100\r\nabc",
        ENVELOPE + "BDAT x\r\n",
        ENVELOPE + "STARTTLS\r\n",
        "EHLO c\r\nSTARTTLS\r\n",
        "EHLO c\r\nSTARTTLS\r\nnot a ClientHello at all",
        "EHLO c\r\nSTARTTLS\r\n\u0016\u0003\u0001@\u0000\u0001",
        "BAD\r\nBAD\r\nBAD\r\nBAD\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "EHLO c\nMAIL",
        "MAIL FROM:<a@c.example>",
      })
  void whicheverWayASessionEndsItsMemoryReturns(String input) throws Exception {
    String text = input.replace("50000", "x".repeat(70) + "\r\n" + "y".repeat(50_000));
    for (Ending ending : Ending.values()) {
      try (TestListener server = listener()) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
          // a handshake has longer than a command: its client gives up first
          socket.setSoTimeout(ending == Ending.TIMEOUT ? 1_000 : 10_000);
          socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
          if (ending != Ending.TIMEOUT) awaitReply(socket);
          end(socket, ending, server);
        }
        await()
            .atMost(Duration.ofSeconds(20))
            .untilAsserted(() -> assertThat(server.memory.used()).as(ending + text).isZero());
      }
    }
  }

  @Test
  void tlsReturnsWithItsConnection() throws Exception {
    try (TestListener server = listener()) {
      Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
      try (SmtpChannel client = SmtpChannel.open(socket, Duration.ofSeconds(20))) {
        client.deadline(Duration.ofSeconds(10));
        client.reader().readReply();
        long plain = server.memory.used();
        assertThat(plain).isPositive();
        client.writer().command("EHLO c");
        client.flush();
        client.reader().readReply();
        client.writer().command("STARTTLS");
        client.flush();
        client.reader().readReply();
        client.startTls(ClientTlsContexts.opportunisticClient(), "mx.test.example", false);
        client.writer().command("EHLO c");
        client.flush();
        client.reader().readReply();
        assertThat(server.memory.used()).isEqualTo(plain + SessionMemory.TLS);
      }
      await().untilAsserted(() -> assertThat(server.memory.used()).isZero());
    }
  }

  @Test
  void whatFiltersReadCountsToo() throws Exception {
    for (boolean reads : List.of(false, true)) {
      try (TestListener server = reads ? listener().filtering(new ReadingFilter()) : listener();
          Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
        long message = (reads ? 3 : 2) * 200_000L;
        send(socket, ENVELOPE + "DATA\r\n" + "x".repeat(200_000) + "\r\n");
        await()
            .untilAsserted(
                () -> assertThat(server.memory.used()).isBetween(message, message + 200_000));
      }
    }
  }

  private enum Ending {
    CLOSE,
    RESET,
    HALF_CLOSE,
    TIMEOUT,
    LISTENER_CLOSED
  }

  private static void end(Socket socket, Ending ending, TestListener server) throws IOException {
    switch (ending) {
      case CLOSE -> socket.close();
      case RESET -> {
        socket.setSoLinger(true, 0);
        socket.close();
      }
      case HALF_CLOSE -> {
        socket.shutdownOutput();
        drain(socket);
      }
      case TIMEOUT -> drain(socket);
      case LISTENER_CLOSED -> server.close();
    }
  }

  private static void drain(Socket socket) throws IOException {
    InputStream in = socket.getInputStream();
    byte[] piece = new byte[4096];
    try {
      while (in.read(piece) > 0) {}
    } catch (IOException e) {
      // the server has reset the connection, which ends it too
    }
  }

  private static void awaitReply(Socket socket) throws IOException {
    byte[] piece = new byte[4096];
    assertThat(socket.getInputStream().read(piece)).isPositive();
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static TestListener listener() throws Exception {
    Path key = folder.resolve("mx.test.example.key");
    if (!key.toFile().exists()) TestCertificates.write(folder, "mx.test.example");
    ServerTls tls = ServerTls.of(folder.resolve("mx.test.example.pem"), key, "1.2");
    return TestListener.withTls(tls, "errors=3", "command_ms=150", "block_ms=150");
  }

  /** A filter that wants the content, so that the message is buffered. */
  private static final class ReadingFilter implements org.quorumail.policy.MessageFilter {}
}
