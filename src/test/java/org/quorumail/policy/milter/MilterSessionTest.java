package org.quorumail.policy.milter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.policy.milter.FakeMilter.number;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.config.HostPort;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.ContentBuffer;
import org.quorumail.policy.Edit;
import org.quorumail.policy.FakeSessionView;
import org.quorumail.policy.FilterChain;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.MessageContent;
import org.quorumail.policy.MessageVerdict;
import org.quorumail.policy.PolicyConfig.MilterAction;
import org.quorumail.policy.PolicyConfig.MilterConfig;
import org.quorumail.policy.PolicyConfig.MilterSocket;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;

@Timeout(60)
class MilterSessionTest {
  private static final MailAddress ANN = MailAddress.of("ann@local.example");
  private static final String MESSAGE = "Subject: a\r\n b\r\nTo: c\r\n\r\nbody\r\n";

  @TempDir Path scratch;
  private FakeMilter milter;
  private final FakeSessionView session = new FakeSessionView();
  private MilterAction defaultAction = MilterAction.TEMPFAIL;

  @BeforeEach
  void start() throws IOException {
    milter = new FakeMilter();
  }

  @AfterEach
  void stop() throws IOException {
    milter.close();
  }

  @Test
  void theMilterHearsTheWholeSessionOverOneConnection() throws IOException {
    FilterSession screening = screening();
    greet(screening);
    for (int i = 0; i < 2; i++) {
      assertThat(envelope(screening)).isEmpty();
      assertThat(screening.judge(content(MESSAGE))).isInstanceOf(MessageVerdict.Accept.class);
      screening.reset();
    }
    screening.close();
    org.awaitility.Awaitility.await().until(() -> milter.commands().endsWith("Q"));
    assertThat(milter.commands()).isEqualTo("OCHMRTLLNBEMRTLLNBEQ");
    assertThat(milter.connections).hasValue(1);
    assertThat(milter.received)
        .contains(
            "Hclient.example|",
            "M<a@client.example>|",
            "R<ann@local.example>|",
            "LSubject|a\n b|",
            "Bbody\r\n",
            "DR{rcpt_addr}|ann@local.example|i|01J00000000000000000000000|")
        .anyMatch(h -> h.startsWith("C[192.0.2.1]|4") && h.endsWith("192.0.2.1|"));
  }

  @Test
  void aTransactionThatIsGivenUpIsAborted() {
    FilterSession screening = screening();
    greet(screening);
    envelope(screening);
    screening.reset();
    envelope(screening);
    assertThat(milter.commands()).isEqualTo("OCHMRAMR");
  }

  @Test
  void whatTheMilterDoesNotWantIsNotSent() {
    milter.steps =
        MilterProtocol.NO_CONNECT
            | MilterProtocol.NO_HELO
            | MilterProtocol.NO_MAIL
            | MilterProtocol.NO_RCPT
            | MilterProtocol.NO_DATA
            | MilterProtocol.NO_HEADERS
            | MilterProtocol.NO_END_OF_HEADER
            | MilterProtocol.NO_BODY;
    FilterSession screening = screening();
    greet(screening);
    envelope(screening);
    screening.judge(content(MESSAGE));
    assertThat(milter.commands()).isEqualTo("OE");
  }

  @Test
  void whatTheMilterDoesNotAnswerIsNotWaitedFor() {
    milter.steps = MilterProtocol.NO_REPLY_HEADER | MilterProtocol.NO_REPLY_BODY;
    FilterSession screening = screening();
    greet(screening);
    envelope(screening);
    String large = "Subject: x\r\n\r\n" + "y".repeat(78).concat("\r\n").repeat(5_000);
    assertThat(screening.judge(content(large))).isInstanceOf(MessageVerdict.Accept.class);
    assertThat(milter.commands()).isEqualTo("OCHMRTLNBBBBBBBE");
  }

  @Test
  void eachReplyHasItsMeaning() {
    assertThat(refusedAtMail("r")).startsWith("550 5.7.1");
    assertThat(refusedAtMail("t")).startsWith("451 4.7.1");
    assertThat(refusedAtMail("4")).startsWith("421 4.7.0");
    assertThat(refusedAtMail("y554 5.7.8 100%% no\0")).isEqualTo("554 5.7.8 100% no");
    assertThat(refusedAtMail("y450-4.2.0 one\r\n450 4.2.0 two\0")).isEqualTo("450 4.2.0 one two");
    assertThat(refusedAtMail("y550\0")).isEqualTo("550 ");
    assertThat(refusedAtMail("c")).isEmpty();
  }

  @Test
  void acceptEndsTheMilterForThisMessageOnly() {
    milter.answer('M', "a");
    FilterSession screening = screening();
    greet(screening);
    envelope(screening);
    assertThat(screening.needsContent()).isFalse();
    screening.reset();
    envelope(screening);
    assertThat(screening.needsContent()).isTrue();
    assertThat(milter.commands()).isEqualTo("OCHMAMR");
  }

  @Test
  void acceptAtConnectEndsItForTheSession() {
    milter.answer('C', "a");
    FilterSession screening = screening();
    greet(screening);
    envelope(screening);
    assertThat(screening.needsContent()).isFalse();
    assertThat(milter.commands()).isEqualTo("OC");
  }

  @Test
  void changesAreCarriedOut() throws IOException {
    MessageVerdict.Accept take =
        judged(
            "hX-Added\0last\0",
            "i" + number(1) + "DKIM-Signature\0 v=1;\n\tb=x\0",
            "m" + number(1) + "Subject\0changed\0",
            "m" + number(1) + "To\0\0",
            "p",
            "e<new@sender.example>\0",
            "+<bob@local.example>\0",
            "-<ann@local.example>\0",
            "bother ",
            "bbody\r\n",
            "c");
    assertThat(text(take.content()))
        .isEqualTo(
            """
            DKIM-Signature: v=1;\r
            \tb=x\r
            Subject: changed\r
            X-Added: last\r
            \r
            other body\r
            """);
    assertThat(take.envelopeEdits()).hasSize(3);
    assertThat(take.envelopeEdits()).contains(new Edit.RemoveRecipient(ANN));
  }

  @Test
  void aSignatureInFrontLeavesTheMessageAsItWas() throws IOException {
    MessageVerdict.Accept take = judged("i" + number(1) + "DKIM-Signature\0v=1\0", "c");
    assertThat(text(take.content())).isEqualTo("DKIM-Signature: v=1\r\n" + MESSAGE);
  }

  @Test
  void aQuarantinedMessageIsHeldAndADiscardedOneForgotten() {
    assertThat(judged("qlooks bad\0", "c").holdReason().orElse("")).contains("looks bad");
    assertThat(judge("d")).isInstanceOf(MessageVerdict.Discard.class);
    assertThat(judge("r")).isInstanceOf(MessageVerdict.Refuse.class);
  }

  @Test
  void aMessageWithoutEmptyLineHidesNothingFromTheMilter() {
    FilterSession screening = screening();
    greet(screening);
    envelope(screening);
    screening.judge(content("Subject: x\r\nno field\r\nX-More: hidden\r\n"));
    assertThat(milter.received).contains("LSubject|x|", "Bno field\r\nX-More: hidden\r\n");
  }

  @Test
  void aFieldThatNoPacketHoldsIsRefusedRatherThanCut() {
    FilterSession screening = screening();
    greet(screening);
    envelope(screening);
    MessageVerdict verdict =
        screening.judge(content("Subject: " + "x".repeat(70_000) + "\r\n\r\nbody\r\n"));
    assertThat(reply(verdict)).startsWith("552 5.3.4");
  }

  @Test
  void aBodyWithBareLineEndsGetsWholeOnesUnlessTheMessageIsBinary() throws IOException {
    String[] parts = {"ba\n\nb\r", "b\nc\r", "bd\r", "c"};
    assertThat(text(judged(parts).content())).endsWith("\r\n\r\na\r\n\r\nb\r\nc\r\nd\r\n");
    session.binaryContent = true;
    assertThat(text(judged(parts).content())).endsWith("\r\n\r\na\n\nb\r\nc\rd\r");
  }

  @Test
  void bodyChunksEndWhenTheMilterHasSeenEnough() {
    milter.steps = MilterProtocol.SKIP;
    milter.answer('B', "s");
    FilterSession screening = screening();
    greet(screening);
    envelope(screening);
    screening.judge(content("Subject: x\r\n\r\n" + "y".repeat(300_000)));
    assertThat(milter.commands()).isEqualTo("OCHMRTLNBE");
  }

  @Test
  void hostileRepliesLeadToTheDefaultAction() {
    List<byte[]> hostile =
        List.of(
            new byte[] {0, 0, 0, 0},
            new byte[] {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 'c'},
            new byte[] {0, 1, 0, 1, 'c'},
            FakeMilter.packets("Z"),
            FakeMilter.packets("y999 no\0"),
            FakeMilter.packets("y250 fine\0"),
            FakeMilter.packets("y550-a\r\n450 b\0"),
            FakeMilter.packets("hno zero octet"),
            FakeMilter.packets("hBad Name\0v\0"),
            FakeMilter.packets("hInjected: x\r\nY\0v\0"),
            FakeMilter.packets("i\0"),
            FakeMilter.packets("+not an address\0"),
            FakeMilter.packets("e"),
            FakeMilter.packets("s"));
    for (byte[] octets : hostile) {
      milter.raw('E', octets);
      assertThat(reply(judgeAll()))
          .as(new String(octets, StandardCharsets.ISO_8859_1))
          .startsWith("451 4.7.1");
      milter.answer('E', "hX-Ok\0v\0", "c"); // the same path accepts what is well formed
      assertThat(judgeAll())
          .as("after %s", new String(octets, StandardCharsets.ISO_8859_1))
          .isInstanceOf(MessageVerdict.Accept.class);
    }
  }

  @Test
  void endlessRepliesAreCutOff() {
    String[] forever = new String[1_200];
    java.util.Arrays.fill(forever, "hX\0y\0");
    milter.answer('E', forever);
    assertThat(reply(judgeAll())).startsWith("451");
    java.util.Arrays.fill(forever, "p");
    milter.answer('E', forever);
    assertThat(reply(judgeAll())).startsWith("451");
    String[] large = new String[40];
    java.util.Arrays.fill(large, "b" + "x".repeat(65_000)); // a message may have 1 MB here
    milter.answer('E', large);
    assertThat(reply(judgeAll())).startsWith("451");
  }

  @Test
  void whatWasNotNegotiatedIsNotDone() {
    milter.actions = MilterProtocol.ADD_HEADERS;
    assertThat(judge("bother", "c")).isInstanceOf(MessageVerdict.Refuse.class);
    assertThat(judge("hX\0y\0", "c")).isInstanceOf(MessageVerdict.Accept.class);
    milter.actions = 0x7FFFFFFF;
    assertThat(reply(judgeAll())).startsWith("451");
  }

  @Test
  void theDefaultActionIsTheConfiguredOne() throws IOException {
    milter.version = 7;
    assertThat(reply(judgeAll())).startsWith("451 4.7.1");
    defaultAction = MilterAction.REJECT;
    assertThat(reply(judgeAll())).startsWith("550");
    defaultAction = MilterAction.ACCEPT;
    assertThat(judgeAll()).isInstanceOf(MessageVerdict.Accept.class);
    milter.close(); // nobody listens any more
    assertThat(judgeAll()).isInstanceOf(MessageVerdict.Accept.class);
    defaultAction = MilterAction.QUARANTINE;
    assertThat(judgeAll())
        .isInstanceOfSatisfying(
            MessageVerdict.Accept.class, take -> assertThat(take.holdReason()).isPresent());
  }

  @Test
  void aMilterThatIsSilentIsGivenUpInTime() {
    milter.raw('M', new byte[0]);
    assertThat(reply(judgeAll())).startsWith("451 4.7.1");
    milter.raw('E', new byte[] {0, 0});
    assertThat(reply(judgeAll())).startsWith("451 4.7.1");
  }

  private static void greet(FilterSession screening) {
    assertThat(screening.connect()).isEmpty();
    assertThat(screening.ehlo()).isEmpty();
  }

  private static Optional<Reply> envelope(FilterSession screening) {
    return screening.mail().or(() -> screening.rcpt(ANN));
  }

  private String refusedAtMail(String packet) {
    milter.answer('M', packet);
    FilterSession screening = screening();
    greet(screening);
    return screening.mail().map(Reply::toString).orElse("");
  }

  private MessageVerdict.Accept judged(String... atTheEnd) {
    return (MessageVerdict.Accept) judge(atTheEnd);
  }

  private MessageVerdict judge(String... atTheEnd) {
    milter.answer('E', atTheEnd);
    return judgeAll();
  }

  /** A whole session with one message; the body that replaces its own stays readable. */
  private MessageVerdict judgeAll() {
    FilterSession screening = screening();
    greet(screening);
    Optional<Reply> refusal = envelope(screening);
    if (refusal.isPresent()) return new MessageVerdict.Refuse(refusal.get());
    return screening.needsContent()
        ? screening.judge(content(MESSAGE))
        : screening.judgeWithoutContent();
  }

  private static String reply(MessageVerdict judgement) {
    return judgement instanceof MessageVerdict.Refuse refuse ? refuse.reply().toString() : "none";
  }

  private FilterSession screening() {
    Duration patient = Duration.ofSeconds(2);
    MilterConfig config =
        new MilterConfig(
            "fake",
            new MilterSocket.Inet(new HostPort("127.0.0.1", milter.port())),
            defaultAction,
            patient,
            Duration.ofMillis(700),
            Duration.ofMillis(700),
            List.of(Service.MX));
    MilterFilter filter = new MilterFilter(config, scratch);
    return new FilterChain(List.of(filter), new SimpleMeterRegistry()).open(session);
  }

  private MessageContent content(String text) {
    ContentBuffer buffer = new ContentBuffer(scratch);
    try {
      byte[] octets = text.getBytes(StandardCharsets.ISO_8859_1);
      buffer.write(octets, 0, octets.length);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return buffer;
  }

  private static String text(MessageContent content) throws IOException {
    try (InputStream in = content.open()) {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }
}
