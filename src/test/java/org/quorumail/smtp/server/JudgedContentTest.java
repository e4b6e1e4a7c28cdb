package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.policy.Edit;
import org.quorumail.policy.MessageContent;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.MessageHeader;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpReader;

/** The content that a filter judges is stored, and the facts are those of the stored content. */
class JudgedContentTest {
  private static final String BARE = "550 5.6.11";

  static Stream<Arguments> bareLineEnds() {
    List<Arguments> all = new ArrayList<>();
    for (String service : List.of("mx", "submission", "lmtp")) {
      for (String body : List.of("", " BODY=8BITMIME", " BODY=BINARYMIME")) {
        for (String end : List.of("\n", "\r", "\n\r", "\r\r\n")) {
          all.add(Arguments.of(service, body, "Subject: x" + end + end + "hidden" + end));
          all.add(Arguments.of(service, body, "A: x\r\nB: y" + end + end + "hidden\r\n\r\nmore"));
        }
        all.add(Arguments.of(service, body, "Subject: only\r"));
        if (body.endsWith("BINARYMIME")) continue;
        all.add(Arguments.of(service, body, "Subject: x\r\n\r\nfirst\nlast\r\n"));
        all.add(Arguments.of(service, body, "Subject: x\r\n\r\nlast\r"));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("bareLineEnds")
  void bareLineEndsAreRefusedBeforeAFilterJudges(String service, String body, String content)
      throws IOException {
    for (boolean filtered : List.of(true, false)) {
      Recorder filter = new Recorder(Verdict.ACCEPT);
      for (int piece : List.of(1, content.length())) {
        try (TestListener server = TestListener.with("service=" + service)) {
          if (filtered) server.filtering(filter);
          assertThat(bdat(server, service, body, content, piece)).startsWith(BARE);
          assertThat(server.intake.accepted()).isEmpty();
        }
      }
      assertThat(filter.judged).as("messages that the filter judged").isEmpty();
    }
  }

  @Test
  void theBodyOfABinaryMessageIsStoredAsItIsJudged() throws IOException {
    String content = "Subject: x\r\n\r\na\nb\rc\0\r\r\n\n";
    Recorder filter = new Recorder(Verdict.ACCEPT);
    try (TestListener server = TestListener.with().filtering(filter)) {
      assertThat(bdat(server, "mx", " BODY=BINARYMIME", content, 1)).startsWith("250");
      assertThat(filter.judged).containsExactly(content);
      assertThat(server.intake.accepted().getFirst().withoutTrace()).isEqualTo(content);
      assertThat(options(server).bareLineEnds()).isTrue();
    }
  }

  @Test
  void theFactsAreThoseOfTheContentThatFiltersLeave() throws IOException {
    String ascii = "Subject: x\r\n\r\nbody\r\n";
    String eightBit = "Subject: x\r\n\r\nb\u00e9\r\n";
    MailOptions added = stored("", ascii, new Edit.ReplaceBody(octets("b\u00e9\r\n")));
    assertThat(added.body()).isEqualTo(BodyType.EIGHT_BIT_MIME);
    MailOptions removed = stored("", eightBit, new Edit.ReplaceBody(octets("b\r\n")));
    assertThat(removed.body()).isEqualTo(BodyType.SEVEN_BIT);
    MailOptions bare = stored("", ascii, new Edit.ReplaceBody(octets("a\nb\r\n")));
    assertThat(bare.bareLineEnds()).isTrue();
    MailOptions clean =
        stored(" BODY=BINARYMIME", ascii + "\n", new Edit.ReplaceBody(octets("b\r\n")));
    assertThat(clean.bareLineEnds()).isFalse();
    MailOptions utf8 = stored(" SMTPUTF8", ascii, new Edit.AppendHeader("X-Name", "J\u00c3\u00bc"));
    assertThat(utf8.utf8Header()).isTrue();
    MailOptions gone =
        stored(" SMTPUTF8", "X: J\u00c3\u00bc\r\n", new Edit.ChangeHeader("X", 1, ""));
    assertThat(gone.utf8Header()).isFalse();
  }

  @Test
  void aFieldInFrontCountsAmongTheFacts() throws IOException {
    MessageFilter filter =
        new MessageFilter() {
          @Override
          public Verdict mail(SessionView session) {
            Edit edit = new Edit.InsertHeader(0, "X-Name", "J\u00c3\u00bc");
            return new Verdict.Change(List.of(edit));
          }

          @Override
          public boolean readsContent(SessionView session) {
            return false;
          }
        };
    try (TestListener server = TestListener.with().filtering(filter)) {
      assertThat(bdat(server, "mx", " SMTPUTF8", "Subject: x\r\n\r\n", 1)).startsWith("250");
      assertThat(options(server).utf8Header()).isTrue();
      assertThat(options(server).body()).isEqualTo(BodyType.EIGHT_BIT_MIME);
    }
  }

  @Test
  void aLineThatIsNoFieldBeginsTheBody() throws IOException {
    assertThat(bodyAt("Subject: x\r\nhttp link here\r\nmore: x\r\n\r\nend")).isEqualTo(12);
    assertThat(bodyAt("Two words: x\r\n\r\nend")).isZero();
    assertThat(bodyAt(" folds nothing\r\n\r\nend")).isZero();
    assertThat(bodyAt("From a@b Sun Nov 29\r\nSubject : x\r\n fold\r\n\r\nend")).isEqualTo(43);
    assertThat(bodyAt("Subject: x\r\n\r\nend")).isEqualTo(14);
    assertThat(bodyAt("Subject: x\r\n")).isEqualTo(12);
  }

  private static long bodyAt(String message) throws IOException {
    return MessageHeader.read(octets(message)).bodyAt();
  }

  private static MailOptions stored(String parameters, String content, Edit edit)
      throws IOException {
    Recorder filter = new Recorder(new Verdict.Change(List.of(edit)));
    try (TestListener server = TestListener.with().filtering(filter)) {
      assertThat(bdat(server, "mx", parameters, content, content.length())).startsWith("250");
      return options(server);
    }
  }

  private static MailOptions options(TestListener server) {
    return server.intake.accepted().getLast().envelope().options();
  }

  /**
   * Sends the content in chunks of so many octets; returns the first reply that is no 250 or the
   * last.
   */
  private static String bdat(
      TestListener server, String service, String parameters, String content, int piece)
      throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(15_000);
      SmtpReader reader = new SmtpReader(socket.getInputStream(), () -> {});
      StringBuilder sent = new StringBuilder();
      sent.append(service.equals("lmtp") ? "LHLO" : "EHLO").append(" client.example\r\n");
      sent.append("MAIL FROM:<a@local.example>").append(parameters).append("\r\n");
      sent.append("RCPT TO:<b@local.example>\r\n");
      int chunks = 0;
      for (int at = 0; at < content.length(); at += piece, chunks++) {
        String chunk = content.substring(at, Math.min(at + piece, content.length()));
        boolean last = at + piece >= content.length();
        sent.append("BDAT ").append(chunk.length()).append(last ? " LAST\r\n" : "\r\n");
        sent.append(chunk);
      }
      socket.getOutputStream().write(sent.toString().getBytes(StandardCharsets.ISO_8859_1));
      Reply reply = reader.readReply();
      for (int i = 0; i < 3 + chunks && reply.positive(); i++) reply = reader.readReply();
      return reply.code() + " " + reply.status().map(Object::toString).orElse("");
    }
  }

  private static MessageContent octets(String text) {
    byte[] octets = text.getBytes(StandardCharsets.ISO_8859_1);
    return new MessageContent() {
      @Override
      public long size() {
        return octets.length;
      }

      @Override
      public InputStream open(long from) {
        return new ByteArrayInputStream(octets, (int) from, octets.length - (int) from);
      }
    };
  }

  /** A filter that keeps what it judges. */
  private static final class Recorder implements MessageFilter {
    final List<String> judged = new CopyOnWriteArrayList<>();
    private final Verdict verdict;

    Recorder(Verdict verdict) {
      this.verdict = verdict;
    }

    @Override
    public Verdict data(SessionView session, MessageContent content) throws IOException {
      try (InputStream in = content.open()) {
        judged.add(new String(in.readAllBytes(), StandardCharsets.ISO_8859_1));
      }
      return verdict;
    }
  }
}
