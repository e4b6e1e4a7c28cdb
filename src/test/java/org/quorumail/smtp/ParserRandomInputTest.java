package org.quorumail.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Random input made of the pieces that the grammars care about; the seed is in the message. */
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
        text -> {
          if (!(PathParser.parse("<" + text) instanceof PathParser.Parsed.Mailbox box)) return;
          String local = box.address().localPart();
          assertThat(local.getBytes(StandardCharsets.UTF_8)).hasSizeBetween(1, 64);
          assertThat(local.chars()).noneMatch(c -> Character.isISOControl(c) || c == 0x202e);
          assertThat(box.address().domain().chars()).allMatch(c -> c > ' ' && c < 0x7f);
        });
  }

  @Test
  void anOriginalRecipientIsPrintableAsciiOrRefused() {
    each(
        text -> {
          for (boolean utf8 : new boolean[] {true, false}) {
            OriginalRecipient.parse(text, utf8)
                .ifPresent(
                    legal -> {
                      assertThat(legal.chars()).allMatch(c -> c > ' ' && c < 0x7f && c != '=');
                      assertThat(OriginalRecipient.parse(legal, false)).contains(legal);
                    });
          }
        });
  }

  @Test
  void xtextComesBackAsItWas() {
    each(
        text -> {
          assertThat(Xtext.decode(Xtext.encode(text))).contains(text);
          Xtext.decode(text)
              .ifPresent(
                  decoded -> assertThat(Xtext.decode(Xtext.encode(decoded))).contains(decoded));
        });
  }

  @Test
  void aNameOfADomainIsAsciiOrRefused() {
    each(
        text -> {
          String name =
              new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
          Idna.toAscii(name).ifPresent(ascii -> assertThat(ascii.chars()).allMatch(c -> c < 0x80));
        });
  }

  @Test
  void theSizeOfAChunkIsANumberOrRefused() {
    each(
        text ->
            BdatArgument.parse(text).ifPresent(chunk -> assertThat(chunk.size()).isNotNegative()));
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

  private static void each(Consumer<String> check) {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < ROUNDS; round++) {
      StringBuilder text = new StringBuilder();
      for (int i = random.nextInt(12); i > 0; i--)
        text.append(PIECES[random.nextInt(PIECES.length)]);
      try {
        check.accept(text.toString());
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + SEED + " round " + round + ": " + text, e);
      }
    }
  }

  /** Gives as many octets at a time as a network would. */
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
