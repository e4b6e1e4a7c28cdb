package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Recipient;
import org.quorumail.smtp.ClientTlsContexts;
import org.quorumail.smtp.ReceivedLine;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.tls.ServerTls;

/**
 * A conversation script. Each line begins with one of:
 *
 * <pre>
 * #        a comment; the first names the section of the RFC
 * ! k=v    options of the listener (first line after the comments)
 * C: text  sends the text and CRLF        c: text  sends the text alone
 * S: text  one reply comes whose last line begins with this text
 * S+ text  the reply just read has a line with this text      S- text  it has none
 * ==close  the server closes               ==tls   shakes hands as a client
 * ==repeat N text   sends the text N times, each with CRLF
 * ==pad N text      sends the text, N times x, and CRLF
 * ==accepted N      so many messages are in the spool
 * ==content text    the last one is this, trace header aside
 * ==trace text      the last one's trace header contains this
 * ==rcpt N          the last one has so many recipients
 * ==submitter a     whom the last MAIL is believed to say by AUTH, - for nobody
 * ==recipients a,b  the last one's recipients      ==again   goes on in a new connection
 * ==options WORDS   what is asked of the last one: body, what the header gives back, ENVID, and
 *                   utf8, bare (line ends), tls where they apply; the words that are given must be
 *                   among them, and those three only when they are given
 * ==asked A | B     what is asked for each recipient of the last one: NOTIFY and ORCPT, - for
 *                   nothing; before it "expanded" for an alias that is told of
 * ==readiness R     the spool is in this state from now on    ==commit R   and says so to commit
 * </pre>
 *
 * Escapes in what is sent and in content: {@code \r \n \t \\ \xHH}.
 */
final class Dialogue {
  private final Path script;
  private final TestListener server;
  private SmtpChannel connection;
  private SmtpReader reader;
  private Reply last = Reply.plain(299, "nothing was said yet");
  private int lineNumber;

  private Dialogue(Path script, TestListener server, SmtpChannel connection) {
    this.script = script;
    this.server = server;
    this.connection = connection;
    this.reader = connection.reader();
  }

  static void run(Path script, ServerTls tls) throws IOException {
    List<String> lines = Files.readAllLines(script, StandardCharsets.UTF_8);
    String[] options =
        lines.stream()
            .filter(line -> line.startsWith("! "))
            .flatMap(line -> List.of(line.substring(2).split(" ")).stream())
            .toArray(String[]::new);
    try (TestListener server = TestListener.withTls(tls, options);
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        SmtpChannel connection = SmtpChannel.open(socket, Duration.ofSeconds(60))) {
      connection.deadline(Duration.ofSeconds(10));
      new Dialogue(script, server, connection).play(lines);
    }
  }

  private void play(List<String> lines) throws IOException {
    for (String line : lines) {
      lineNumber++;
      if (line.isBlank() || line.startsWith("#") || line.startsWith("! ")) continue;
      connection.deadline(Duration.ofSeconds(10));
      if (line.startsWith("==")) direct(line.substring(2));
      else speak(line.substring(0, 2), line.length() > 3 ? line.substring(3) : "");
    }
  }

  private void speak(String who, String text) throws IOException {
    switch (who) {
      case "C:" -> send(text + "\\r\\n");
      case "c:" -> send(text);
      case "S:" -> {
        last = reader.readReply();
        String wire = new String(last.toWire(), StandardCharsets.ISO_8859_1);
        String end = wire.substring(wire.lastIndexOf("\r\n", wire.length() - 3) + 1).strip();
        assertThat(end).as(where()).startsWith(text);
      }
      case "S+" -> assertThat(last.lines()).as(where()).anyMatch(line -> line.contains(text));
      case "S-" -> assertThat(last.lines()).as(where()).noneMatch(line -> line.contains(text));
      default -> throw new IllegalArgumentException(where() + ": what is " + who);
    }
  }

  private void direct(String directive) throws IOException {
    int blank = directive.indexOf(' ');
    String name = blank < 0 ? directive : directive.substring(0, blank);
    String value = blank < 0 ? "" : directive.substring(blank + 1);
    switch (name) {
      case "close" ->
          assertThat(reader.readLine(2048)).as(where()).isInstanceOf(ReceivedLine.End.class);
      case "tls" -> {
        connection.startTls(ClientTlsContexts.opportunisticClient(), "mx.test.example", false);
        reader = connection.reader();
      }
      case "repeat" -> {
        int end = value.indexOf(' ');
        String text = value.substring(end + 1) + "\\r\\n";
        send(text.repeat(Integer.parseInt(value.substring(0, end))));
      }
      case "pad" -> {
        int end = value.indexOf(' ');
        int filling = Integer.parseInt(value.substring(0, end));
        send(value.substring(end + 1) + "x".repeat(filling) + "\\r\\n");
      }
      case "accepted" ->
          assertThat(server.intake.accepted()).as(where()).hasSize(Integer.parseInt(value));
      case "content" ->
          assertThat(newest().withoutTrace())
              .as(where())
              .isEqualTo(new String(unescape(value), StandardCharsets.ISO_8859_1));
      case "trace" ->
          assertThat(newest().text())
              .as(where())
              .contains(new String(unescape(value), StandardCharsets.ISO_8859_1));
      case "rcpt" ->
          assertThat(newest().envelope().recipients()).as(where()).hasSize(Integer.parseInt(value));
      case "recipients" ->
          assertThat(newest().envelope().recipients())
              .as(where())
              .extracting(Object::toString)
              .containsExactly(value.split(","));
      case "submitter" -> assertThat(server.submitter).as(where()).isEqualTo(value);
      case "again" -> {
        connection.close();
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        connection = SmtpChannel.open(socket, Duration.ofSeconds(60));
        connection.deadline(Duration.ofSeconds(10));
        reader = connection.reader();
      }
      case "options" -> {
        assertThat(options()).as(where()).contains(value.split(" "));
        for (String word : List.of("utf8", "bare", "tls")) {
          assertThat(options().contains(word)).as(where()).isEqualTo(value.contains(word));
        }
      }
      case "asked" ->
          assertThat(newest().envelope().recipients().stream().map(Dialogue::asked))
              .as(where())
              .containsExactly(value.replace("\\\\", "\\").split(" \\| "));
      case "readiness" -> server.intake.readiness(Readiness.valueOf(value));
      case "commit" -> server.intake.atCommit(Readiness.valueOf(value));
      default -> throw new IllegalArgumentException(where() + ": what is ==" + name);
    }
  }

  private List<String> options() {
    MailOptions options = newest().envelope().options();
    List<String> words = new ArrayList<>();
    words.add(options.body().name());
    words.add(options.returned().name());
    words.add(options.envelopeId());
    if (options.utf8Header()) words.add("utf8");
    if (options.bareLineEnds()) words.add("bare");
    if (options.requireTls()) words.add("tls");
    return words;
  }

  private static String asked(Recipient recipient) {
    if (recipient.hasNoDemands()) return "-";
    String asked = recipient.notifyOn() + " " + recipient.originalRecipient();
    return recipient.expanded() ? "expanded " + asked : asked;
  }

  private FakeIntake.Accepted newest() {
    return server.intake.accepted().getLast();
  }

  private void send(String escaped) throws IOException {
    byte[] octets = unescape(escaped);
    connection.writer().chunk(octets, octets.length);
    connection.flush();
  }

  private String where() {
    return script.getFileName() + " line " + lineNumber;
  }

  static byte[] unescape(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\') {
        bytes.writeBytes(String.valueOf(c).getBytes(StandardCharsets.UTF_8));
        continue;
      }
      switch (text.charAt(++i)) {
        case 'r' -> bytes.write('\r');
        case 'n' -> bytes.write('\n');
        case 't' -> bytes.write('\t');
        case '\\' -> bytes.write('\\');
        case 'x' -> {
          bytes.write(Integer.parseInt(text.substring(i + 1, i + 3), 16));
          i += 2;
        }
        default -> throw new IllegalArgumentException("unknown escape in " + text);
      }
    }
    return bytes.toByteArray();
  }
}
