package org.quorumail.smtp.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.smtp.client.ScriptedServer.CUT;
import static org.quorumail.smtp.client.ScriptedServer.HANG_UP;
import static org.quorumail.smtp.client.ScriptedServer.SILENCE;
import static org.quorumail.smtp.client.ScriptedServer.polite;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Notify;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.ClientTlsContexts;
import org.quorumail.smtp.client.ScriptedServer.Script;

class SmtpClientTest {
  private static final Duration SOON = Duration.ofMillis(400);
  private static final SmtpTimeouts TIMEOUTS =
      new SmtpTimeouts(SOON, SOON, SOON, SOON, SOON, SOON, SOON, SOON);

  private ScriptedServer server;
  private SSLContext verifying = ClientTlsContexts.verifyingClient();

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  @Test
  void aMessageIsDeliveredByPipelining() throws IOException {
    start(ScriptedServer::polite);
    assertThat(send(connect(), "a\r\n", "x@there.test", "y@there.test"))
        .allMatch(r -> r instanceof Outcome.Delivered);
    assertThat(server.commands())
        .containsExactly(
            "EHLO here.test",
            "MAIL FROM:<from@here.test> SIZE=3",
            "RCPT TO:<x@there.test>",
            "RCPT TO:<y@there.test>",
            "DATA");
  }

  @Test
  void withoutPipeliningEachCommandWaitsForItsReply() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250 far.test" : polite(c));
    assertThat(send(connect(), "a\r\n", "x@there.test"))
        .allMatch(r -> r instanceof Outcome.Delivered);
    assertThat(server.commands()).contains("MAIL FROM:<from@here.test>");
  }

  @Test
  void withoutPipeliningDataIsNotSentWhenNobodyIsTaken() throws IOException {
    start(
        c ->
            c.startsWith("EHLO")
                ? "250 far.test"
                : c.startsWith("RCPT") ? "550 5.1.1 no" : polite(c));
    assertThat(send(connect(), "a\r\n", "x@there.test")).allMatch(r -> r instanceof Outcome.Failed);
    assertThat(server.commands()).doesNotContain("DATA");
  }

  @Test
  void anOldServerIsGreetedByHelo() throws IOException {
    start(c -> c.startsWith("EHLO") ? "502 5.5.1 what?" : polite(c));
    assertThat(send(connect(), "a\r\n", "x@there.test")).hasSize(1);
    assertThat(server.commands()).contains("HELO here.test");
  }

  @Test
  void recipientsHaveRepliesOfTheirOwn() throws IOException {
    start(
        c ->
            c.contains("gone@")
                ? "550 5.1.1 no"
                : c.contains("full@") ? "452 4.2.2 full" : polite(c));
    List<Outcome> results = send(connect(), "a\r\n", "full@t.test", "gone@t.test", "x@t.test");
    assertThat(results)
        .extracting(r -> r.getClass().getSimpleName())
        .containsExactly("Deferred", "Failed", "Delivered");
    assertThat(results.get(1).diagnostic()).isEqualTo("550 5.1.1 no (in reply to RCPT)");
  }

  @Test
  void aThousandRecipientsGoThrough() throws IOException {
    start(ScriptedServer::polite);
    String[] many =
        IntStream.range(0, 1000).mapToObj(i -> "r" + i + "@t.test").toArray(String[]::new);
    assertThat(send(connect(), "a\r\n", many)).hasSize(1000);
  }

  @Test
  void aRefusedMailDoesNotSpoilTheConnection() throws IOException {
    start(
        c ->
            c.startsWith("MAIL FROM:<from")
                ? "451 4.3.0 not now"
                : c.equals("DATA") ? "503 5.5.1 no" : polite(c));
    SmtpConnection connection = connect();
    assertThat(send(connection, "a\r\n", "x@t.test"))
        .allMatch(r -> r instanceof Outcome.Deferred d && d.diagnostic().startsWith("451 4.3.0"));
    assertThat(connection.isUsable()).isTrue();
  }

  @Test
  void theTransactionAfterAFailedOneBeginsWithRset() throws IOException {
    boolean[] first = {true};
    start(
        c -> {
          if (!c.equals("DATA") || !first[0]) return polite(c);
          first[0] = false;
          return "451 4.3.0 not now";
        });
    SmtpConnection connection = connect();
    send(connection, "a\r\n", "x@t.test");
    assertThat(send(connection, "b\r\n", "x@t.test")).allMatch(r -> r instanceof Outcome.Delivered);
    assertThat(server.commands()).contains("RSET");
    assertThat(server.messages()).containsExactly("b\r\n");
  }

  @Test
  void contentIsStuffedAndItsLineEndsAreClean() throws IOException {
    start(ScriptedServer::polite);
    send(connect(), ".\r\n..\r\na\nb", "x@t.test");
    assertThat(server.messages()).containsExactly("..\r\n...\r\na\r\nb\r\n");
  }

  @Test
  void eightBitContentIsEncodedForAServerThatDoesNotTakeIt() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250-PIPELINING\r\n250 SIZE" : polite(c));
    MailOptions eightBit = MailOptions.of(BodyType.EIGHT_BIT_MIME);
    String text = "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n.\u00e4 = one letter\r\n";
    SendResult result = connect().send(with(asking(eightBit), () -> content(text)), n -> true);
    assertThat(result).isInstanceOf(SendResult.Answered.class);
    String arrived = String.join("", server.messages());
    assertThat(arrived)
        .isEqualTo(
            String.join(
                "\r\n",
                "MIME-Version: 1.0",
                "Content-Type: text/plain",
                "Content-Transfer-Encoding: quoted-printable",
                "",
                "..=E4 =3D one letter",
                ""));
    int stuffed = 1;
    assertThat(server.commands())
        .contains("MAIL FROM:<from@here.test> SIZE=" + (arrived.length() - stuffed));
  }

  @Test
  void contentThatIsEightBitInNameOnlyGoesAsItIs() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250 PIPELINING" : polite(c));
    MailOptions eightBit = MailOptions.of(BodyType.EIGHT_BIT_MIME);
    connect().send(with(asking(eightBit), () -> content("Subject: x\r\n\r\nx\r\n")), n -> true);
    assertThat(server.messages()).containsExactly("Subject: x\r\n\r\nx\r\n");
    assertThat(server.commands()).contains("MAIL FROM:<from@here.test>");
  }

  @Test
  void whatCannotBeEncodedIsNotSent() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250 PIPELINING" : polite(c));
    MailOptions eightBit = MailOptions.of(BodyType.EIGHT_BIT_MIME);
    SendResult result =
        connect()
            .send(with(asking(eightBit), () -> content("Subject: \0\r\n\r\nx\r\n")), n -> true);
    assertThat(((SendResult.NotSendable) result).status()).hasToString("5.6.3");
    assertThat(((SendResult.NotSendable) result).reason()).endsWith("a header cannot be encoded");
    assertThat(server.commands()).containsExactly("EHLO here.test");
  }

  @Test
  void anEncodedMessageThatIsTooLargeForTheServerIsNotSent() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250 SIZE 150" : polite(c));
    MailOptions eightBit = MailOptions.of(BodyType.EIGHT_BIT_MIME);
    SendResult result =
        connect()
            .send(
                with(asking(eightBit), () -> content("A: b\r\n\r\n" + "\u00e4".repeat(90))),
                n -> true);
    assertThat(((SendResult.NotSendable) result).status()).hasToString("5.3.4");
  }

  @Test
  void contentThatCannotBeReadForItsConversionIsOurTrouble() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250 PIPELINING" : polite(c));
    MailOptions eightBit = MailOptions.of(BodyType.EIGHT_BIT_MIME);
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("a damaged row");
          }

          @Override
          public int read(byte[] bytes, int offset, int length) throws IOException {
            return read();
          }
        };
    assertThat(connect().send(with(asking(eightBit), () -> broken), n -> true))
        .isEqualTo(new SendResult.Unreadable("a damaged row"));
  }

  @Test
  void contentWithBareLineEndsGoesInChunksAsItIs() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250 CHUNKING" : polite(c));
    String content = "a\n.\nb\r.\r" + "x".repeat(64 * 1024);
    SendResult result =
        connect().send(with(asking(bare(BodyType.SEVEN_BIT)), () -> content(content)), n -> true);
    assertThat(outcomes(result)).allMatch(r -> r instanceof Outcome.Delivered);
    assertThat(server.commands()).contains("BDAT 65536", "BDAT 8 LAST").doesNotContain("DATA");
    assertThat(String.join("", server.messages())).isEqualTo(content);
  }

  @Test
  void theLastChunkIsNotSentWithoutTheLease() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250 CHUNKING" : polite(c));
    SendResult result =
        connect().send(with(asking(bare(BodyType.SEVEN_BIT)), () -> content("a\n")), n -> false);
    assertThat(result).isInstanceOf(SendResult.FinalDotDenied.class);
    assertThat(server.commands()).noneMatch(c -> c.startsWith("BDAT"));
  }

  @Test
  void bareLineEndsGoByDataOnlyEncoded() throws IOException {
    start(ScriptedServer::polite);
    String text = "A: b\r\n\r\na\n.\n";
    connect().send(with(asking(bare(BodyType.SEVEN_BIT)), () -> content(text)), n -> true);
    assertThat(server.messages().getFirst()).endsWith("\r\n\r\na=0A.=0A=\r\n");
    SendResult inHeader =
        connect()
            .send(
                with(asking(bare(BodyType.SEVEN_BIT)), () -> content("A: b\nC: d\r\n")), n -> true);
    assertThat(((SendResult.NotSendable) inHeader).status()).hasToString("5.6.3");
  }

  @Test
  void binaryContentIsEncodedForAServerThatLacksOneOfTheExtensions() throws IOException {
    start(
        c ->
            c.startsWith("EHLO")
                ? "250-far.test\r\n250-CHUNKING\r\n250-8BITMIME\r\n250 PIPELINING"
                : polite(c));
    MailOptions binary = MailOptions.of(BodyType.BINARY_MIME);
    String text = "Content-Type: image/x-tiny\r\nMIME-Version: 1.0\r\n\r\n\u0000\u00e4";
    connect().send(with(asking(binary), () -> content(text)), n -> true);
    assertThat(server.messages().getFirst())
        .endsWith("Content-Transfer-Encoding: base64\r\n\r\nAOQ=\r\n");
    assertThat(server.commands()).contains("MAIL FROM:<from@here.test> BODY=8BITMIME", "DATA");
  }

  @Test
  void aNameInUtf8NeedsAServerThatTakesIt() throws IOException {
    start(ScriptedServer::polite);
    Envelope t = transaction("j\u00fcrgen@there.test");
    SendResult result = connect().send(with(t, () -> content("x")), n -> true);
    assertThat(((SendResult.NotSendable) result).status()).hasToString("5.6.7");
  }

  @Test
  void aNameInUtf8IsSentInUtf8() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250-far.test\r\n250 SMTPUTF8" : polite(c));
    send(connect(), "a\r\n", "j\u00fcrgen@there.test");
    assertThat(server.commands())
        .contains("MAIL FROM:<from@here.test> SMTPUTF8", "RCPT TO:<j\u00c3\u00bcrgen@there.test>");
  }

  @Test
  void whatTheSenderAskedIsPassedOnToWhoKnowsIt() throws IOException {
    start(
        c ->
            c.startsWith("EHLO")
                ? "250-far.test\r\n250-DSN\r\n250-DELIVERBY\r\n250 MT-PRIORITY"
                : polite(c));
    connect().send(with(demanding(), () -> content("x")), n -> true);
    assertThat(server.commands().get(1))
        .matches("MAIL FROM:<from@here.test> RET=HDRS ENVID=QQ\\+3D MT-PRIORITY=-3 BY=\\d{3};NT");
    assertThat(server.commands().get(2))
        .isEqualTo("RCPT TO:<x@there.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@a.test");
  }

  @Test
  void whatTheServerDoesNotKnowIsNotSaid() throws IOException {
    start(c -> c.startsWith("EHLO") ? "250 far.test" : polite(c));
    connect().send(with(demanding(), () -> content("x")), n -> true);
    assertThat(server.commands()).contains("MAIL FROM:<from@here.test>", "RCPT TO:<x@there.test>");
  }

  @Test
  void aTimeThatTheServerCannotKeepIsNotRisked() throws IOException {
    start(ScriptedServer::polite);
    MailOptions plain = MailOptions.of(BodyType.SEVEN_BIT);
    DeliverBy by = new DeliverBy(System.currentTimeMillis() + 60_000, true, false);
    MailOptions timed =
        new MailOptions(
            plain.body(), false, false, false, "", plain.returned(), 0, 0, Optional.of(by));
    SendResult result = connect().send(with(asking(timed), () -> content("x")), n -> true);
    assertThat(((SendResult.NotSendable) result).status()).hasToString("5.3.3");
  }

  @Test
  void requiredTlsIsNotGivenUpForAServerWithoutIt() throws IOException {
    start(ScriptedServer::polite);
    MailOptions plain = MailOptions.of(BodyType.SEVEN_BIT);
    MailOptions strict =
        new MailOptions(
            plain.body(), false, false, true, "", plain.returned(), 0, 0, Optional.empty());
    SendResult result = connect().send(with(asking(strict), () -> content("x")), n -> true);
    assertThat(((SendResult.NotSendable) result).status()).hasToString("5.7.30");
  }

  @Test
  void theLimitsThatAServerSetsAreKept() throws IOException {
    start(
        c ->
            c.startsWith("EHLO")
                ? "250-far.test\r\n250-SIZE 2\r\n250 LIMITS RCPTMAX=7 MAILMAX=1 RCPTDOMAINMAX=x"
                : polite(c));
    SmtpConnection connection = connect();
    assertThat(connection.maxRecipients()).isEqualTo(7);
    assertThat(connection.maxRecipientDomains()).isEqualTo(Integer.MAX_VALUE);
    SendResult result =
        connection.send(with(transaction("x@t.test"), () -> content("x")), n -> true);
    assertThat(((SendResult.NotSendable) result).status()).hasToString("5.3.4");
    assertThat(connection.isUsable()).isFalse();
  }

  @Test
  void lmtpGivesEachRecipientAnAnswerAfterTheDot() throws IOException {
    start(c -> c.equals(".") ? "250 2.0.0 one\r\n452 4.2.2 full" : polite(c));
    SmtpConnection connection = connect(peer(true, TlsRule.OPPORTUNISTIC));
    List<Outcome> results = send(connection, "a\r\n", "x@t.test", "y@t.test");
    assertThat(results)
        .extracting(r -> r.getClass().getSimpleName())
        .containsExactly("Delivered", "Deferred");
    assertThat(server.commands()).contains("LHLO here.test");
  }

  @Test
  void lmtpKeepsTheAnswersThatCameBeforeTheConnectionWasLost() throws IOException {
    start(c -> c.equals(".") ? "250 2.0.0 one\r\n550 5.2.1 no\r\n" + HANG_UP : polite(c));
    SmtpConnection connection = connect(peer(true, TlsRule.OPPORTUNISTIC));
    Envelope envelope = transaction("x@t.test", "y@t.test", "z@t.test", "u@t.test");
    SendResult.Broken broken =
        (SendResult.Broken) connection.send(with(envelope, () -> content("a\r\n")), n -> true);
    assertThat(broken.outcomes())
        .extracting(r -> r.outcome().getClass().getSimpleName())
        .containsExactly("Delivered", "Failed");
    assertThat(broken.inDoubt()).containsExactly(2, 3);
    assertThat(connection.isUsable()).isFalse();
  }

  @Test
  void theDotIsNotSentWhenItIsNotAllowed() throws IOException {
    start(ScriptedServer::polite);
    SmtpConnection connection = connect();
    assertThat(connection.send(with(transaction("x@t.test"), () -> content("a")), n -> false))
        .isInstanceOf(SendResult.FinalDotDenied.class);
    assertThat(server.messages()).isEmpty();
    assertThat(connection.isUsable()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"MAIL", "RCPT", "DATA", "CONTENT", "."})
  void aCutAnywhereBreaksTheSession(String where) throws IOException {
    start(c -> c.startsWith(where) ? CUT : polite(c));
    assertThat(connect().send(with(transaction("x@t.test"), () -> content("a\r\n")), n -> true))
        .isInstanceOf(SendResult.Broken.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"MAIL", "RCPT", "DATA", "."})
  void silenceIsNotWaitedForForever(String where) throws IOException {
    start(c -> c.startsWith(where) ? SILENCE : polite(c));
    SendResult result =
        connect().send(with(transaction("x@t.test"), () -> content("a\r\n")), n -> true);
    assertThat(((SendResult.Broken) result).reason()).contains("no answer in time");
  }

  @Test
  void repliesThatMakeNoSenseBreakTheSession() throws IOException {
    start(c -> c.startsWith("MAIL") ? "354 go on" : c.equals("DATA") ? "250 done" : polite(c));
    assertThat(connect().send(with(transaction("x@t.test"), () -> content("a\r\n")), n -> true))
        .isInstanceOf(SendResult.Broken.class);
  }

  @Test
  void twoHundredToDataDefers() throws IOException {
    start(c -> c.equals("DATA") ? "250 done" : polite(c));
    assertThat(connect().send(with(transaction("x@t.test"), () -> content("a\r\n")), n -> true))
        .isInstanceOf(SendResult.Broken.class);
  }

  @Test
  void anEndlessGreetingIsCutOff() throws IOException {
    start(c -> c.equals("CONNECT") ? "220-x\r\n".repeat(500) + "220 x" : polite(c));
    assertThat(open(peer(false, TlsRule.OPPORTUNISTIC))).isInstanceOf(ConnectResult.Unusable.class);
  }

  @Test
  void aGreetingLineWithoutEndIsCutOff() throws IOException {
    start(c -> c.equals("CONNECT") ? "220 " + "x".repeat(100_000) : polite(c));
    assertThat(open(peer(false, TlsRule.OPPORTUNISTIC))).isInstanceOf(ConnectResult.Unusable.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {SILENCE, CUT, "554 5.7.1 no", "421 4.3.2 later", "HTTP/1.1 200 OK"})
  void aHostThatDoesNotGreetIsPassedOver(String greeting) throws IOException {
    start(c -> c.equals("CONNECT") ? greeting : polite(c));
    ConnectResult opening = open(peer(false, TlsRule.OPPORTUNISTIC));
    assertThat(((ConnectResult.Unusable) opening).status().statusClass()).isEqualTo(4);
  }

  @Test
  void ourOwnNameInTheGreetingIsALoop() throws IOException {
    start(c -> c.equals("CONNECT") ? "220 HERE.test ESMTP" : polite(c));
    assertThat(open(peer(false, TlsRule.OPPORTUNISTIC))).isInstanceOf(ConnectResult.MailLoop.class);
  }

  @Test
  void encryptionIsUsedWhenItIsOffered() throws IOException {
    server = new ScriptedServer(this::offersTls, TestTls.server("far.test"));
    SmtpConnection connection = connect();
    assertThat(connection.secured()).isTrue();
    assertThat(send(connection, "a\r\n", "x@t.test")).allMatch(r -> r instanceof Outcome.Delivered);
    assertThat(server.commands()).filteredOn(c -> c.startsWith("EHLO")).hasSize(2);
  }

  @Test
  void aFailedHandshakeGoesOnInPlainTextOnAnotherConnection() throws IOException {
    server =
        new ScriptedServer(
            c -> c.equals("STARTTLS") ? "220 go\r\n250 injected" : offersTls(c),
            TestTls.server("far.test"));
    SmtpConnection connection = connect();
    assertThat(connection.secured()).isFalse();
    assertThat(server.connections()).isEqualTo(2);
  }

  /** RFC 7435: opportunistic TLS must not cost the delivery. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        SILENCE,
        CUT,
        "220 go" + HANG_UP,
        "421 4.3.2 later\r\n" + HANG_UP,
        "454 4.7.0 later\r\n" + HANG_UP,
        "nonsense"
      })
  void aSessionThatDiesAtStarttlsGoesOnInPlainText(String answer) throws IOException {
    start(c -> c.equals("STARTTLS") ? answer : offersTls(c));
    SmtpConnection connection = connect();
    assertThat(send(connection, "a\r\n", "x@there.test"))
        .allMatch(r -> r instanceof Outcome.Delivered);
    assertThat(connection.secured()).isFalse();
    assertThat(server.connections()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {SILENCE, CUT, "421 4.3.2 later"})
  void aSessionThatDiesAfterTheHandshakeGoesOnInPlainText(String answer) throws IOException {
    AtomicInteger greetings = new AtomicInteger();
    server =
        new ScriptedServer(
            c -> c.startsWith("EHLO") && greetings.incrementAndGet() == 2 ? answer : offersTls(c),
            TestTls.server("far.test"));
    SmtpConnection connection = connect();
    assertThat(send(connection, "a\r\n", "x@there.test"))
        .allMatch(r -> r instanceof Outcome.Delivered);
    assertThat(connection.secured()).isFalse();
    assertThat(server.connections()).isEqualTo(2);
  }

  @Test
  void aRefusedStarttlsKeepsTheSession() throws IOException {
    start(c -> c.equals("STARTTLS") ? "454 4.7.0 not now" : offersTls(c));
    assertThat(send(connect(), "a\r\n", "x@there.test"))
        .allMatch(r -> r instanceof Outcome.Delivered);
    assertThat(server.connections()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {SILENCE, CUT, "421 4.3.2 later"})
  void requiredTlsIsNotGivenUpWhenTheSessionDies(String answer) throws IOException {
    start(c -> c.equals("STARTTLS") ? answer : offersTls(c));
    assertThat(open(peer(false, TlsRule.ENCRYPTED)))
        .isInstanceOfSatisfying(
            ConnectResult.Unusable.class, u -> assertThat(u.status()).hasToString("4.7.4"));
    assertThat(server.connections()).isEqualTo(1);
  }

  @Test
  void requiredEncryptionIsNotGivenUp() throws IOException {
    start(ScriptedServer::polite);
    assertThat(open(peer(false, TlsRule.ENCRYPTED)))
        .isInstanceOf(ConnectResult.TlsNotOffered.class);
    assertThat(server.connections()).isEqualTo(1);
  }

  @Test
  void aCertificateOfAnUnknownIssuerDoesNotVerify() throws IOException {
    server = new ScriptedServer(this::offersTls, TestTls.server("far.test"));
    assertThat(open(peer(false, TlsRule.VERIFIED))).isInstanceOf(ConnectResult.Unusable.class);
  }

  @Test
  void aTrustedCertificateWithTheRightNameVerifies() throws IOException {
    server = new ScriptedServer(this::offersTls, TestTls.server("far.test"));
    verifying = TestTls.trusting();
    assertThat(connect(peer(false, TlsRule.VERIFIED)).secured()).isTrue();
  }

  @Test
  void requiredTlsIsPassedOnToWhoProvesItsNameAndTakesIt() throws IOException {
    MailOptions strict = MailOptions.of(BodyType.SEVEN_BIT).withRequireTls();
    verifying = TestTls.trusting();
    server =
        new ScriptedServer(
            c ->
                c.startsWith("EHLO")
                    ? "250-far.test\r\n250-REQUIRETLS\r\n250 STARTTLS"
                    : offersTls(c),
            TestTls.server("far.test"));
    SmtpConnection verified = connect(peer(false, TlsRule.VERIFIED));
    assertThat(verified.send(with(asking(strict), () -> content("x")), n -> true))
        .isInstanceOf(SendResult.Answered.class);
    assertThat(server.commands()).contains("MAIL FROM:<from@here.test> REQUIRETLS");
    SmtpConnection unverified = connect(peer(false, TlsRule.OPPORTUNISTIC));
    SendResult result = unverified.send(with(asking(strict), () -> content("x")), n -> true);
    assertThat(((SendResult.NotSendable) result).status()).hasToString("5.7.30");
  }

  @Test
  void requiredTlsIsNotGivenUpForAServerThatOnlyEncrypts() throws IOException {
    server = new ScriptedServer(this::offersTls, TestTls.server("far.test"));
    verifying = TestTls.trusting();
    MailOptions strict = MailOptions.of(BodyType.SEVEN_BIT).withRequireTls();
    SendResult result =
        connect(peer(false, TlsRule.VERIFIED))
            .send(with(asking(strict), () -> content("x")), n -> true);
    assertThat(((SendResult.NotSendable) result).status()).hasToString("5.7.30");
  }

  @Test
  void aTrustedCertificateWithAnotherNameDoesNotVerify() throws IOException {
    server = new ScriptedServer(this::offersTls, TestTls.server("else.test"));
    verifying = TestTls.trusting();
    assertThat(open(peer(false, TlsRule.VERIFIED))).isInstanceOf(ConnectResult.Unusable.class);
  }

  /** RFC 6125 §6.4: a name, a wildcard for one label, all names below a domain. */
  @ParameterizedTest
  @CsvSource({
    "d.test, d.test .d.test, true",
    "mx1.d.test, d.test .d.test, true",
    "MX1.D.Test, d.test .d.test, true",
    "*.d.test, d.test .d.test, true",
    "far.test, d.test .d.test, false",
    "evil-d.test, d.test .d.test, false",
    "d.test.evil.test, d.test .d.test, false",
    "*.test, d.test .d.test, true",
    "*.test, mx.d.test, false",
    "*.d.test, d.test, false",
    "*.d.test, mx.d.test, true",
    "*.d.test, a.mx.d.test, false",
    "m*.d.test, mx.d.test, false",
    "mx.other.test, mx.other.test far.test, true",
    "d.test, .d.test, false"
  })
  void aCertificateVerifiesForOneOfTheNamesOfTheEndpoint(
      String certificate, String names, boolean fits) throws IOException {
    server = new ScriptedServer(this::offersTls, TestTls.server(certificate));
    verifying = TestTls.trusting();
    ServerEndpoint peer =
        new ServerEndpoint(
            "far.test",
            server.address(),
            false,
            TlsRule.VERIFIED,
            false,
            null,
            List.of(names.split(" ")));
    ConnectResult result = open(peer);
    if (fits) {
      assertThat(result).isInstanceOf(ConnectResult.Connected.class);
      return;
    }
    assertThat(result)
        .isInstanceOfSatisfying(
            ConnectResult.Unusable.class,
            u -> {
              assertThat(u.status()).hasToString("4.7.4");
              assertThat(u.reason()).contains("its certificate is for [");
            });
    assertThat(server.commands()).as("nothing is said to it").endsWith("STARTTLS");
  }

  @Test
  void anUntrustedIssuerDoesNotVerifyForAnyName() throws IOException {
    server = new ScriptedServer(this::offersTls, TestTls.server("far.test"));
    ServerEndpoint peer =
        new ServerEndpoint(
            "far.test",
            server.address(),
            false,
            TlsRule.VERIFIED,
            false,
            null,
            List.of("far.test"));
    assertThat(open(peer)).isInstanceOf(ConnectResult.Unusable.class);
  }

  @Test
  void aConnectionOnWhichTheServerSaidFarewellIsNotUsable() throws IOException {
    start(c -> c.equals(".") ? "250 2.0.0 ok\r\n421 4.4.2 bye" : polite(c));
    SmtpConnection connection = connect();
    send(connection, "a\r\n", "x@t.test");
    org.awaitility.Awaitility.await().until(() -> !connection.isUsable());
  }

  private String offersTls(String command) {
    if (command.startsWith("EHLO")) return "250-far.test\r\n250-PIPELINING\r\n250 STARTTLS";
    return command.equals("STARTTLS") ? "220 go" : polite(command);
  }

  private void start(Script script) throws IOException {
    server = new ScriptedServer(script);
  }

  private ServerEndpoint peer(boolean lmtp, TlsRule tls) {
    return new ServerEndpoint("far.test", server.address(), lmtp, tls, false, null);
  }

  private ConnectResult open(ServerEndpoint peer) {
    return new SmtpClient("here.test", TIMEOUTS, verifying).open(peer);
  }

  private SmtpConnection connect() {
    return connect(peer(false, TlsRule.OPPORTUNISTIC));
  }

  private SmtpConnection connect(ServerEndpoint peer) {
    ConnectResult opening = open(peer);
    assertThat(opening).isInstanceOf(ConnectResult.Connected.class);
    return ((ConnectResult.Connected) opening).connection();
  }

  private static Envelope transaction(String... to) {
    List<MailAddress> recipients = Stream.of(to).map(MailAddress::of).toList();
    return new Envelope(ReversePath.of("from@here.test"), recipients, BodyType.SEVEN_BIT);
  }

  private static MailOptions bare(BodyType body) {
    return MailOptions.of(body).withContentFacts(body, false, true);
  }

  private static Envelope asking(MailOptions options) {
    return new Envelope(
        ReversePath.of("from@here.test"),
        List.of(new Recipient(MailAddress.of("x@there.test"))),
        options);
  }

  private static Envelope demanding() {
    DeliverBy by = new DeliverBy(System.currentTimeMillis() + 600_000, false, true);
    MailOptions options =
        new MailOptions(
            BodyType.SEVEN_BIT,
            false,
            false,
            false,
            "QQ+3D",
            MailOptions.Returned.HEADERS,
            -3,
            0,
            Optional.of(by));
    Recipient recipient =
        new Recipient(
            MailAddress.of("x@there.test"),
            new Notify(true, true, false, true),
            "rfc822;x+2By@a.test");
    return new Envelope(ReversePath.of("from@here.test"), List.of(recipient), options);
  }

  private static ByteArrayInputStream content(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static List<Outcome> send(SmtpConnection connection, String content, String... to) {
    SendResult result = connection.send(with(transaction(to), () -> content(content)), n -> true);
    return outcomes(result);
  }

  private static List<Outcome> outcomes(SendResult result) {
    assertThat(result).isInstanceOf(SendResult.Answered.class);
    SendResult.Answered answered = (SendResult.Answered) result;
    assertThat(answered.leftOver()).isEmpty();
    return answered.outcomes().stream().map(RecipientOutcome::outcome).toList();
  }

  private static OutgoingMessage with(Envelope envelope, Supplier<InputStream> content) {
    return new OutgoingMessage(envelope, 3, content);
  }
}
