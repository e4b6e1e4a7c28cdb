package org.quorumail.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The sink as a person uses it: messages are visible, and a script makes it refuse. */
class SmtpSinkTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  private final BlockingQueue<List<String>> received = new LinkedBlockingQueue<>();

  @Test
  void aScriptRefusesARecipientAndAcceptsTheOthers() throws Exception {
    try (SmtpSink sink = sink("# one is unknown\n\nrcpt nobody@* reply 550 5.1.1 No such user\n");
        SmtpSocket client = connect(sink)) {
      client.request("MAIL FROM:<ann@example.org>");
      assertThat(client.request("RCPT TO:<Nobody@example.net>"))
          .isEqualTo("550 5.1.1 No such user");
      assertThat(client.request("RCPT TO:<bob@example.net>")).startsWith("250");
      assertThat(send(client)).startsWith("250");
      assertThat(received.poll(20, TimeUnit.SECONDS)).containsExactly("bob@example.net");
    }
  }

  @Test
  void aRuleIsLimitedToTheFirstMatches() throws Exception {
    try (SmtpSink sink = sink("dot times=2 reply 451 4.3.0 Later");
        SmtpSocket client = connect(sink)) {
      assertThat(transaction(client)).isEqualTo("451 4.3.0 Later");
      assertThat(transaction(client)).isEqualTo("451 4.3.0 Later");
      assertThat(transaction(client)).startsWith("250");
      assertThat(sink.messages()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @CsvSource({"connect close", "ehlo close", "mail close", "rcpt close", "data close", "dot close"})
  void theConnectionClosesAtEachStage(String script) throws Exception {
    try (SmtpSink sink = sink(script)) {
      assertThatThrownBy(
              () -> {
                try (SmtpSocket client = connect(sink)) {
                  transaction(client);
                }
              })
          .isInstanceOf(EOFException.class);
      assertThat(sink.messages()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"connect", "ehlo", "mail", "data"})
  void aReply421EndsTheSession(String stage) throws Exception {
    try (SmtpSink sink = sink(stage + " reply 421 4.3.2 Closing")) {
      InetSocketAddress address = address(sink);
      try (SmtpSocket client = SmtpSocket.connect(address, LONG, LONG)) {
        String last = client.readReply();
        for (String command :
            List.of("EHLO c.test", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA")) {
          if (!last.startsWith("421")) last = client.request(command);
        }
        assertThat(last).isEqualTo("421 4.3.2 Closing");
        assertThatThrownBy(client::readLine).isInstanceOf(EOFException.class);
      }
    }
  }

  @Test
  void aDelayComesBeforeTheReplyAndDoesNotRefuse() throws Exception {
    try (SmtpSink sink = sink("rcpt delay 300ms");
        SmtpSocket client = connect(sink)) {
      client.request("MAIL FROM:<ann@example.org>");
      long begin = System.nanoTime();
      assertThat(client.request("RCPT TO:<bob@example.net>")).startsWith("250");
      assertThat(System.nanoTime() - begin).isGreaterThanOrEqualTo(300_000_000L);
    }
  }

  @Test
  void afterARefusedMailNothingIsAccepted() throws Exception {
    try (SmtpSink sink = sink("mail *@spam.test reply 550 5.7.1 Go away");
        SmtpSocket client = connect(sink)) {
      assertThat(client.request("MAIL FROM:<a@spam.test>")).startsWith("550");
      assertThat(client.request("RCPT TO:<bob@example.net>")).startsWith("503");
      assertThat(sink.openTransactions()).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "helo reply 550 no | stage",
        "rcpt | action is missing",
        "rcpt a@b | action is missing",
        "rcpt a@b c@d close | the action is",
        "rcpt reply 250 ok | 400 to 599",
        "rcpt reply | 400 to 599",
        "rcpt delay soon | delay",
        "rcpt delay 2h | an hour",
        "dot times=0 close | times",
        "dot share=2 close | share",
        "dot share=NaN close | share",
        "connect pattern close | the action is",
        "dot close now | nothing follows",
      })
  void aLineThatIsNoRuleIsRefusedWithItsNumber(String line, String fault) {
    assertThatThrownBy(() -> SinkScript.parse("# first\n" + line))
        .isInstanceOfSatisfying(
            SinkScript.SyntaxException.class, e -> assertThat(e.line()).isEqualTo(2))
        .hasMessageContaining(fault);
  }

  @Test
  void aMessageIsPrintedWithItsSubjectAndControlCharactersAreEscaped() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    ReceivedMessagePrinter printer = new ReceivedMessagePrinter(out, true);
    byte[] content =
        "To: bob\r\nSubject: Hello \u001b[2J\r\n\r\nbody \u0007\r\n"
            .getBytes(StandardCharsets.US_ASCII);
    printer.print(
        new SmtpSink.ReceivedMessage(
            "c.test", "ann@example.org", List.of("bob@example.net"), content, content.length, 0));
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .contains(
            "1  from <ann@example.org> to <bob@example.net>, 40 bytes, subject: Hello \\u001b[2J",
            "body \\u0007")
        .doesNotContain("\u001b", "\u0007");
  }

  private SmtpSink sink(String script) throws Exception {
    return SmtpSink.start(
        SmtpSink.Options.onPort(0),
        SinkScript.parse(script),
        message -> received.add(message.recipients()));
  }

  private static InetSocketAddress address(SmtpSink sink) throws IOException {
    return new InetSocketAddress(InetAddress.getByName("127.0.0.1"), sink.port());
  }

  private static SmtpSocket connect(SmtpSink sink) throws IOException {
    SmtpSocket client = SmtpSocket.connect(address(sink), LONG, LONG);
    client.readReply();
    client.request("EHLO client.test");
    return client;
  }

  private static String transaction(SmtpSocket client) throws IOException {
    client.request("MAIL FROM:<ann@example.org>");
    client.request("RCPT TO:<bob@example.net>");
    return send(client);
  }

  private static String send(SmtpSocket client) throws IOException {
    client.request("DATA");
    client.writeLine("Subject: test");
    client.writeLine("");
    return client.request(".");
  }
}
