package org.quorumail.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.quorumail.config.Idna;

/**
 * Random input for the parsers: half of it pieces that the grammars use, half of it legal examples
 * with a few changes. A parser must accept some of it and refuse some; the seed is in the message.
 */
class ParserRandomInputTest {
  private static final long SEED = 20261121;
  private static final int ROUNDS = 30_000;

  private static final String[] PIECES = {
    "<",
    ">",
    "@",
    "\"",
    "\\",
    ".",
    ",",
    ":",
    ";",
    " ",
    "=",
    "+",
    "+3D",
    "+G0",
    "a",
    "Z",
    "9",
    "-",
    "_",
    "[",
    "]",
    "[127.0.0.1]",
    "[IPv6:",
    "::1",
    "example",
    "postmaster",
    "\u00c3\u00bc",
    "\u00c3",
    "\u00e2\u0080\u00ae",
    "\u00f0\u009f\u0098\u0080",
    "\u0000",
    "\u007f",
    "\u0080",
    "\u00ff",
    "rfc822;",
    "utf-8;",
    "\\x{E4}",
    "\\x{",
    "}",
    "xn--",
    "LAST",
    "0",
    "18446744073709551616",
    "\t",
    "\r",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
  };

  @Test
  void aPathIsAnAddressOrRefused() {
    each(
        List.of("a@example.org>", "\"a b\"@[192.0.2.1]>", "@x.test,@y.test:u@c.test> SIZE=1"),
        text -> {
          if (!(PathParser.parse("<" + text) instanceof PathParser.Parsed.Mailbox box)) {
            return false;
          }
          String local = box.address().localPart();
          assertThat(local.getBytes(StandardCharsets.UTF_8)).hasSizeBetween(1, 252);
          assertThat(local.chars()).noneMatch(c -> Character.isISOControl(c) || c == 0x202e);
          assertThat(box.address().domain().chars()).allMatch(c -> c > ' ' && c < 0x7f);
          return true;
        });
  }

  @Test
  void anOriginalRecipientIsPrintableAsciiOrRefused() {
    for (boolean utf8 : new boolean[] {true, false}) {
      each(
          List.of("rfc822;a+2Bb@c.test", "utf-8;j\\x{FC}r@d.test"),
          text -> {
            Optional<String> legal = OriginalRecipient.parse(text, utf8);
            if (legal.isEmpty()) return false;
            assertThat(legal.get().chars()).allMatch(c -> c > ' ' && c < 0x7f && c != '=');
            assertThat(OriginalRecipient.parse(legal.get(), false)).isEqualTo(legal);
            return true;
          });
    }
  }

  @Test
  void xtextComesBackAsItWas() {
    each(
        List.of("a+2Bb", "plain"),
        text -> {
          assertThat(Xtext.decode(Xtext.encode(text))).contains(text);
          Optional<String> decoded = Xtext.decode(text);
          decoded.ifPresent(d -> assertThat(Xtext.decode(Xtext.encode(d))).contains(d));
          return decoded.isPresent();
        });
  }

  @Test
  void aNameOfADomainIsAsciiOrRefused() {
    each(
        List.of("example.org", "b\u00c3\u00bccher.test"),
        text -> {
          String name =
              new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
          Optional<String> ascii = Idna.toAscii(name);
          ascii.ifPresent(a -> assertThat(a.chars()).allMatch(c -> c < 0x80));
          return ascii.isPresent();
        });
  }

  @Test
  void theSizeOfAChunkIsANumberOrRefused() {
    each(
        List.of("1024", "0 LAST", "99999999999999999 last"),
        text -> {
          Optional<BdatArgument> chunk = BdatArgument.parse(text);
          chunk.ifPresent(c -> assertThat(c.size()).isNotNegative());
          return chunk.isPresent();
        });
  }

  @Test
  void chunksAreReadToTheirEndHoweverTheyArrive() throws IOException {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < 300; round++) {
      byte[] wire = new byte[random.nextInt(60_000)];
      random.nextBytes(wire);
      int chunk = random.nextInt(wire.length + 1);
      SmtpReader reader =
          new SmtpReader(new Trickle(wire, new SplittableRandom(random.nextLong())), () -> {});
      ByteArrayOutputStream kept = new ByteArrayOutputStream();
      assertThat(reader.readChunk(chunk, kept::write)).as("seed " + SEED).isTrue();
      assertThat(kept.toByteArray()).isEqualTo(java.util.Arrays.copyOf(wire, chunk));
      ByteArrayOutputStream rest = new ByteArrayOutputStream();
      boolean whole = reader.readChunk(wire.length - chunk + 1L, rest::write);
      assertThat(whole).as("one octet more than there is").isFalse();
      assertThat(rest.size()).isEqualTo(wire.length - chunk);
    }
  }

  /**
   * @param check whether the parser accepts the text, after checks of what it accepted
   */
  private static void each(List<String> legal, Predicate<String> check) {
    SplittableRandom random = new SplittableRandom(SEED);
    int accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
      String text = round % 2 == 0 ? pieces(random) : changed(legal, random);
      try {
        if (check.test(text)) accepted++;
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + SEED + " round " + round + ": " + text, e);
      }
    }
    assertThat(accepted).as("accepted texts").isBetween(ROUNDS / 50, ROUNDS * 49 / 50);
  }

  private static String pieces(SplittableRandom random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) text.append(PIECES[random.nextInt(PIECES.length)]);
    return text.toString();
  }

  private static String changed(List<String> legal, SplittableRandom random) {
    StringBuilder text = new StringBuilder(legal.get(random.nextInt(legal.size())));
    for (int i = random.nextInt(3); i > 0; i--) {
      int start = random.nextInt(text.length() + 1);
      int end = Math.min(text.length(), start + random.nextInt(2));
      text.replace(start, end, PIECES[random.nextInt(PIECES.length)]);
    }
    return text.toString();
  }

  /** A stream that returns a few octets at a time, as a network does. */
  private static final class Trickle extends ByteArrayInputStream {
    private final SplittableRandom random;

    Trickle(byte[] bytes, SplittableRandom random) {
      super(bytes);
      this.random = random;
    }

    @Override
    public synchronized int read(byte[] target, int offset, int length) {
      return super.read(target, offset, Math.min(length, 1 + random.nextInt(3000)));
    }
  }
}
