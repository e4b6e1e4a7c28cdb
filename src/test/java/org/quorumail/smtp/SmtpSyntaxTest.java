package org.quorumail.smtp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.MailAddress;

/** The syntax of replies, lines, paths and xtext. */
class SmtpSyntaxTest {
  @Test
  void aReplyOfSeveralLinesIsReadWithItsStatusOnce() throws IOException {
    Reply reply = reader("550-5.1.1 No such\r\n550 5.1.1 user\r\n").readReply();
    assertThat(reply.code()).isEqualTo(550);
    assertThat(reply.status()).contains(new EnhancedStatus(5, 1, 1));
    assertThat(reply.lines()).containsExactly("No such", "user");
    assertThat(reply.permanentFailure()).isTrue();
  }

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    Reply reply =
        new Reply(250, Optional.of(new EnhancedStatus(2, 0, 0)), List.of("first", "second"));
    String wire = new String(reply.toWire(), StandardCharsets.ISO_8859_1);
    assertThat(wire).isEqualTo("250-2.0.0 first\r\n250 2.0.0 second\r\n");
    assertThat(reader(wire).readReply()).isEqualTo(reply);
  }

  @Test
  void aReplyMayLackTextAndEndInALineFeedAlone() throws IOException {
    assertThat(reader("250\n").readReply()).isEqualTo(Reply.plain(250, ""));
  }

  @Test
  void aStatusThatContradictsTheCodeIsOnlyText() throws IOException {
    Reply reply = reader("450 5.1.1 later\r\n").readReply();
    assertThat(reply.status()).isEmpty();
    assertThat(reply.text()).isEqualTo("5.1.1 later");
  }

  @Test
  void garbageAndEndlessRepliesAreRefused() {
    assertThatThrownBy(() -> reader("hello\r\n").readReply())
        .isInstanceOf(SmtpProtocolException.class)
        .hasMessageContaining("\"hello\"");
    assertThatThrownBy(() -> reader("250-a\r\n550 b\r\n").readReply())
        .isInstanceOf(SmtpProtocolException.class);
    assertThatThrownBy(() -> reader("999 a\r\n").readReply())
        .isInstanceOf(SmtpProtocolException.class);
    assertThatThrownBy(() -> reader("250-x\r\n".repeat(10_000)).readReply())
        .isInstanceOf(SmtpProtocolException.class)
        .hasMessageContaining("too many lines");
    assertThatThrownBy(() -> reader("250 " + "x".repeat(1_000_000) + "\r\n").readReply())
        .isInstanceOf(SmtpProtocolException.class)
        .hasMessageContaining("too long");
    assertThatThrownBy(() -> reader("250-x\r\n").readReply()).isInstanceOf(EOFException.class);
  }

  @Test
  void textInAReplyCannotBeginALineOfItsOwn() {
    byte[] wire = Reply.of(550, "5.1.1", "a\r\n250 Ok\u00e9").toWire();
    assertThat(new String(wire, StandardCharsets.ISO_8859_1)).isEqualTo("550 5.1.1 a??250 Ok?\r\n");
  }

  @Test
  void aLineAtTheLimitIsReadAndOneOverItIsThrownAway() throws IOException {
    SmtpReader reader = reader("x".repeat(510) + "\r\n" + "y".repeat(511) + "\r\nNOOP\r\n");
    assertThat(reader.readLine(512)).isEqualTo(new ReceivedLine.Text("x".repeat(510)));
    assertThat(reader.readLine(512)).isEqualTo(new ReceivedLine.TooLong("y".repeat(16)));
    assertThat(reader.readLine(512)).isEqualTo(new ReceivedLine.Text("NOOP"));
    assertThat(reader.readLine(512)).isEqualTo(new ReceivedLine.End());
  }

  @Test
  void anAddressBecomesAnOriginalRecipientThatEveryHopReads() {
    assertThat(OriginalRecipient.of(MailAddress.of("a+b=c@d.test")))
        .isEqualTo("rfc822;a+2Bb+3Dc@d.test");
    String international = OriginalRecipient.of(MailAddress.of("j\u00fc+r\\@d.test"));
    assertThat(international).isEqualTo("utf-8;j\\x{FC}\\x{2B}r\\x{5C}@d.test");
    assertThat(OriginalRecipient.parse(international, false)).contains(international);
    assertThat(OriginalRecipient.of(MailAddress.of("=".repeat(200) + "@d.test"))).isEmpty();
    assertThat(OriginalRecipient.address("rfc822;a+2Bb@d.test")).isEqualTo("a+b@d.test");
    assertThat(OriginalRecipient.address("")).isEmpty();
  }

  @Test
  void aSourceRouteIsReadAndForgotten() {
    assertThat(PathParser.parse("<@a.example,@b.example:u@c.example> SIZE=1"))
        .isEqualTo(new PathParser.Parsed.Mailbox(new MailAddress("u", "c.example"), " SIZE=1"));
  }

  @Test
  void aPathOf256OctetsIsTheLongest() {
    String domain = "d".repeat(63) + "." + "e".repeat(63) + "." + "f".repeat(61);
    String longest = "<" + "l".repeat(64) + "@" + domain + ">";
    assertThat(longest).hasSize(256);
    assertThat(PathParser.parse(longest)).isInstanceOf(PathParser.Parsed.Mailbox.class);
    assertThat(PathParser.parse(longest.replace(">", "f>")))
        .isInstanceOf(PathParser.Parsed.Malformed.class);
  }

  @Test
  void noTextMakesThePathParserFail() {
    String alphabet = "<>@@\"\\.,:[]()ab1 %!-\0\u00e9IPv6";
    int accepted = 0;
    for (long seed = 0; seed < 100_000; seed++) {
      Random random = new Random(seed);
      StringBuilder text = new StringBuilder("<");
      int length = random.nextInt(30);
      for (int i = 0; i < length; i++) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      if (PathParser.parse(text.toString()) instanceof PathParser.Parsed.Mailbox box) {
        assertThat(box.address().toString()).as("seed %d", seed).matches("[ -~]+");
        accepted++;
      }
    }
    assertThat(accepted).as("texts that are paths").isPositive();
  }

  @Test
  void xtextDecodesWhatItEncodes() {
    assertThat(Xtext.encode("a+b=c d\u00e9")).isEqualTo("a+2Bb+3Dc+20d+E9");
    assertThat(Xtext.decode("a+2Bb+3Dc+20d+E9")).contains("a+b=c d\u00e9");
    for (String bad : List.of("+", "+0", "+G0", "+2b", "a=b", "a b")) {
      assertThat(Xtext.decode(bad)).as(bad).isEmpty();
    }
  }

  @Test
  void anAddressThatRoundTripsAsALiteralIsLegal() throws IOException {
    for (String text : List.of("192.0.2.1", "2001:db8::1", "::1")) {
      String literal = AddressLiteral.of(java.net.InetAddress.getByName(text));
      assertThat(PathParser.isAddressLiteral(literal)).as(literal).isTrue();
    }
    for (String bad : List.of("[]", "[1.2.3]", "[IPv6:]", "[IPv6:1.2.3.4]", "[x]", "1.2.3.4")) {
      assertThat(PathParser.isAddressLiteral(bad)).as(bad).isFalse();
    }
  }

  private static SmtpReader reader(String text) {
    return new SmtpReader(
        new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1)), () -> {});
  }
}
