package org.quorumail.dsn;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Notify;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.OwnedSpool.DsnMessage;
import org.quorumail.spool.SpooledMessage;

class DsnComposerTest {
  private static final Instant NOW = Instant.parse("2026-11-21T10:00:00Z");
  private static final RecipientReport GONE =
      report("550 5.1.1 no such user", "mx.there.test[192.0.2.1]:25");

  private static final RecipientReport LATE =
      new RecipientReport(
          new Recipient(MailAddress.of("late@there.test")),
          DsnAction.DELAYED,
          new EnhancedStatus(4, 4, 1),
          "no answer",
          "");

  private final DsnComposer notifications =
      new DsnComposer("here.test", new DsnConfig(true, Optional.empty()));

  @Test
  void aFailureIsAMultipartReportFromNobody() throws IOException {
    DsnMessage n = failure("Subject: hi\r\n\r\nbody\r\n", GONE);
    assertThat(n.envelope().reversePath()).isEqualTo(new ReversePath.Null());
    assertThat(n.envelope().recipients())
        .containsExactly(new Recipient(MailAddress.of("from@here.test")));
    assertThat(text(n))
        .contains("From: Mail Delivery System <MAILER-DAEMON@here.test>\r\n")
        .contains("Auto-Submitted: auto-replied\r\n")
        .contains("Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"=_")
        .contains("Reporting-MTA: dns; here.test\r\n")
        .contains(
            "\r\nFinal-Recipient: rfc822; gone@there.test\r\nAction: failed\r\nStatus: 5.1.1\r\n")
        .contains("Remote-MTA: dns; mx.there.test\r\n")
        .contains("Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n")
        .contains("Content-Type: message/rfc822\r\n")
        .contains("Subject: hi\r\n\r\nbody\r\n");
  }

  @Test
  void everyPartIsDelimitedAndTheLastOneClosed() throws IOException {
    String text = text(failure("x\r\n", GONE));
    String boundary = boundary(text);
    assertThat(text.split("\r\n--" + boundary + "\r\n", -1)).hasSize(4);
    assertThat(text).endsWith("\r\n--" + boundary + "--\r\n");
  }

  @Test
  void nothingIsReportedAboutAReport() throws IOException {
    SpooledMessage report = message(new ReversePath.Null(), 3);
    assertThat(notifications.compose(report, List.of(GONE), content("x\r\n"), NOW, NOW)).isEmpty();
  }

  @Test
  void ofALargeMessageOnlyTheHeaderIsReturned() throws IOException {
    String body = "secret line\r\n".repeat(10_000);
    DsnMessage n = failure("Subject: big\r\nX: y\r\n\r\n" + body, GONE);
    assertThat(text(n))
        .contains("Content-Type: text/rfc822-headers")
        .contains("Subject: big\r\nX: y\r\n")
        .doesNotContain("secret");
    assertThat(n.content()).hasSizeLessThan(4096);
  }

  /** A stranger's mail has RET=HDRS; a body without an empty line before it is a body. */
  @Test
  void whereOnlyTheHeaderIsReturnedNoLineOfTheBodyIs() throws IOException {
    for (String body :
        List.of(
            "Buy now\r\nhttp://spam.test\r\nmore: text\r\n\r\nrest\r\n",
            " Buy now\r\n",
            ": Buy now\r\nx: spam\r\n",
            "B\u00fcy : spam\r\n",
            "Buy now : spam\r\n")) {
      for (String header : List.of("", "Subject: hi\r\n")) {
        boolean folded = body.startsWith(" ") && !header.isEmpty();
        if (folded) continue; // it belongs to the Subject
        String report = text(report(headersOnly(), GONE, header + body));
        assertThat(report)
            .contains(header)
            .doesNotContainIgnoringCase("spam")
            .doesNotContain("now");
      }
    }
  }

  @Test
  void aReportOfSuccessToAStrangerHasNothingOfHisButDateAndMessageId() throws IOException {
    RecipientReport delivered =
        new RecipientReport(
            new Recipient(MailAddress.of("b@here.test")),
            DsnAction.DELIVERED,
            new EnhancedStatus(2, 0, 0),
            "250 ok",
            "");
    String header =
        "Date: today\r\nSubject: buy\r\nX-Ad: spam\r\nMessage-ID:\r\n <1@x.test>\r\n\r\nspam\r\n";
    assertThat(text(report(headersOnly(), delivered, header)))
        .contains("\r\nDate: today\r\nMessage-ID: <1@x.test>\r\n")
        .doesNotContain("buy")
        .doesNotContain("spam");
    assertThat(text(report(MailOptions.of(BodyType.SEVEN_BIT), delivered, header)))
        .contains("Subject: buy");
  }

  private DsnMessage report(MailOptions options, RecipientReport recipient, String content)
      throws IOException {
    SpooledMessage message =
        new SpooledMessage(
            QueueId.generate(NOW),
            ReversePath.of("from@here.test"),
            options,
            0,
            content.length(),
            false,
            false,
            List.of());
    return notifications
        .compose(message, List.of(recipient), content(content), NOW, NOW)
        .orElseThrow();
  }

  private static MailOptions headersOnly() {
    return new MailOptions(
        BodyType.SEVEN_BIT,
        false,
        false,
        false,
        "",
        MailOptions.Returned.HEADERS,
        0,
        0,
        Optional.empty());
  }

  @Test
  void whatAServerSaidCannotForgeAField() throws IOException {
    RecipientReport forged = report("550 bad\r\nStatus: 2.0.0\r\n\r\n--x", "h[1]:25");
    assertThat(text(failure("x\r\n", forged))).doesNotContain("\r\nStatus: 2.0.0");
  }

  @Test
  void longDiagnosticsAreFoldedAndBounded() throws IOException {
    DsnMessage n =
        failure("x\r\n", report("550 " + "word ".repeat(1000) + "x".repeat(900), "h[1]:25"));
    assertThat(text(n).lines()).allMatch(line -> line.length() <= 78 + 2);
    assertThat(n.content()).hasSizeLessThan(6000);
  }

  @Test
  void eightBitContentComesBackByteForByteAndIsDeclared() throws IOException {
    DsnMessage n = failure("Subject: gr\u00fc\u00dfe\r\n\r\n\u00e4\r\n", GONE);
    assertThat(n.envelope().options().body()).isEqualTo(BodyType.EIGHT_BIT_MIME);
    assertThat(text(n)).contains("Content-Transfer-Encoding: 8bit").contains("gr\u00fc\u00dfe");
  }

  @Test
  void aReportNamesTheAddressThatTheSenderWrote() throws IOException {
    RecipientReport aliased =
        new RecipientReport(
            new Recipient(
                MailAddress.of("ann@there.test"), Notify.UNSPECIFIED, "rfc822;info+2Bx@here.test"),
            DsnAction.FAILED,
            new EnhancedStatus(5, 1, 1),
            "550 5.1.1 no",
            "");
    assertThat(text(failure("x\r\n", aliased)))
        .contains("\r\n<ann@there.test> (expanded from <info+x@here.test>):\r\n")
        .contains("Original-Recipient: rfc822; info+x@here.test\r\n");
    assertThat(text(failure("x\r\n", GONE))).doesNotContain("expanded");
  }

  @Test
  void aReportOnWhatHadToTravelByTlsHasToToo() throws IOException {
    SpooledMessage strict =
        new SpooledMessage(
            QueueId.generate(NOW),
            ReversePath.of("from@here.test"),
            MailOptions.of(BodyType.SEVEN_BIT).withRequireTls(),
            0,
            3,
            false,
            false,
            List.of());
    DsnMessage n =
        notifications.compose(strict, List.of(GONE), content("x\r\n"), NOW, NOW).orElseThrow();
    assertThat(n.envelope().options().requireTls()).isTrue();
    assertThat(failure("x\r\n", GONE).envelope().options().requireTls()).isFalse();
  }

  @Test
  void sevenBitContentNeedsNoExtension() throws IOException {
    assertThat(failure("x\r\n", GONE).envelope().options().body()).isEqualTo(BodyType.SEVEN_BIT);
  }

  @Test
  void aDelaySaysUntilWhenItIsTried() throws IOException {
    SpooledMessage message = message(ReversePath.of("from@here.test"), 3);
    DsnMessage n =
        notifications
            .compose(message, List.of(LATE), content("x\r\n"), NOW, NOW.plusSeconds(3600))
            .orElseThrow();
    assertThat(n.aboutDelay()).isTrue();
    assertThat(text(n))
        .contains("Action: delayed\r\n")
        .contains("Will-Retry-Until: Sat, 21 Nov 2026 11:00:00 +0000\r\n");
  }

  @Test
  void theSmallestFormIsAsciiAndKeepsTheStatus() throws IOException {
    RecipientReport utf8 =
        new RecipientReport(
            new Recipient(MailAddress.of("j\u00fcrgen@there.test")),
            DsnAction.FAILED,
            new EnhancedStatus(5, 6, 7),
            "no SMTPUTF8",
            "");
    DsnMessage n = failure("Subject: gr\u00fc\u00dfe\r\n\r\n\u00e4\r\n", utf8);
    DsnMessage small = reduced(n).orElseThrow();
    assertThat(small.envelope().options().body()).isEqualTo(BodyType.SEVEN_BIT);
    assertThat(small.envelope().recipients()).isEqualTo(n.envelope().recipients());
    assertThat(text(small))
        .matches("\\p{ASCII}+")
        .contains("Content-Type: message/delivery-status\r\n")
        .contains("Final-Recipient: utf-8; j\\x{fc}rgen@there.test\r\n")
        .contains("Message-ID: <" + small.id() + "@here.test>\r\n")
        .doesNotContain("message/rfc822")
        .doesNotContain("8bit")
        .endsWith("\r\n--" + boundary(text(small)) + "--\r\n");
    assertThat(text(small).split("\r\n--" + boundary(text(small)) + "\r\n", -1)).hasSize(3);
    assertThat(reduced(small)).isEmpty();
  }

  @Test
  void onlyAReportOfThisNodeIsReduced() throws IOException {
    DsnMessage n = failure("x\r\n", GONE);
    DsnMessage foreign = new DsnMessage(QueueId.generate(NOW), n.envelope(), n.content(), false);
    assertThat(reduced(foreign)).isEmpty();
  }

  private Optional<DsnMessage> reduced(DsnMessage n) throws IOException {
    SpooledMessage stored =
        new SpooledMessage(
            n.id(),
            n.envelope().reversePath(),
            n.envelope().options(),
            0,
            n.content().length,
            false,
            false,
            List.of(
                new SpooledMessage.RecipientState(
                    n.envelope().recipients().getFirst(),
                    SpooledMessage.RecipientStatus.PENDING,
                    0,
                    0,
                    "")));
    return notifications.reduce(stored, new ByteArrayInputStream(n.content()), NOW);
  }

  @Test
  void aReportNamesTheMessageBySubjectAndDateAndTheHostThatRefused() throws IOException {
    String header =
        "From: x\r\nSUBJECT: The minutes\r\n\tof May\r\nDate: Sat, 21 Nov 2026 09:00:00 +0100\r\n";
    String text = text(failure(header + "\r\nSubject: no\r\n", GONE));
    assertThat(text)
        .contains("    Subject: The minutes of May\r\n")
        .contains("    Date: Sat, 21 Nov 2026 09:00:00 +0100\r\n")
        .contains("    host mx.there.test[192.0.2.1]:25: 550 5.1.1 no such user\r\n");
    String forged = text(failure("Subject: a\r\n\r\n", report("550 x", "h[1]:25\r\nStatus: 2")));
    assertThat(forged).doesNotContain("\r\nStatus: 2\r\n");
    String large = "Subject: big\r\n\r\n" + "x\r\n".repeat(30_000);
    assertThat(text(failure(large, GONE))).contains("    Subject: big\r\n");
    assertThat(text(failure("x\r\n", GONE))).contains("message\r\n    Queue id: ");
  }

  @Test
  void aHostWithoutANameIsAnAddressLiteral() throws IOException {
    assertThat(text(failure("x\r\n", report("550 no", "127.0.0.1[127.0.0.1]:25"))))
        .contains("Remote-MTA: dns; [127.0.0.1]\r\n");
    assertThat(text(failure("x\r\n", report("550 no", "2001:db8::1[2001:db8::1]:25"))))
        .contains("Remote-MTA: dns; [IPv6:2001:db8::1]\r\n");
  }

  @Test
  void theStatusPartEndsWithItsLastField() throws IOException {
    String text = text(failure("x\r\n", GONE));
    assertThat(text).containsPattern("\r\nLast-Attempt-Date: [^\r]+\r\n\r\n--=_");
  }

  @Test
  void reportsCanBeSwitchedOff() throws IOException {
    DsnConfig off = new DsnConfig(false, Optional.empty());
    SpooledMessage message = message(ReversePath.of("from@here.test"), 3);
    assertThat(
            new DsnComposer("here.test", off)
                .compose(message, List.of(GONE), content("x"), NOW, NOW))
        .isEqualTo(Optional.empty());
  }

  private DsnMessage failure(String content, RecipientReport report) throws IOException {
    SpooledMessage message = message(ReversePath.of("from@here.test"), content.length());
    return notifications
        .compose(message, List.of(report), content(content), NOW, NOW)
        .orElseThrow();
  }

  private static RecipientReport report(String diagnostic, String remote) {
    return new RecipientReport(
        new Recipient(MailAddress.of("gone@there.test")),
        DsnAction.FAILED,
        new EnhancedStatus(5, 1, 1),
        diagnostic,
        remote);
  }

  private static SpooledMessage message(ReversePath from, int size) {
    return new SpooledMessage(
        QueueId.generate(NOW), from, BodyType.SEVEN_BIT, 0, size, false, false, List.of());
  }

  private static ByteArrayInputStream content(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String text(DsnMessage n) {
    return new String(n.content(), StandardCharsets.ISO_8859_1);
  }

  private static String boundary(String text) {
    int start = text.indexOf("boundary=\"") + 10;
    return text.substring(start, text.indexOf('"', start));
  }
}
