package org.quorumail.mime;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ConversionTest {
  private static final long SEED = 20261121;
  private static final int ROUNDS = 2_000;

  @ParameterizedTest
  @EnumSource(
      value = DataKind.class,
      names = {"SEVEN_BIT", "EIGHT_BIT"})
  void decodingGivesEveryBodyBackAndNothingElseExceedsTheTarget(DataKind target)
      throws IOException {
    int encoded = 0;
    for (int i = 0; i < ROUNDS; i++) {
      RandomMessages.Entity message = new RandomMessages(SEED + i).message(i % 4);
      byte[] content = RandomMessages.write(message);
      byte[] result = convert(content, target);
      if (result != content) encoded++;
      String text = new String(result, StandardCharsets.ISO_8859_1);
      assertThat(RandomMessages.bodies(message, text))
          .as("seed " + (SEED + i))
          .containsExactlyElementsOf(RandomMessages.bodies(message));
      DataKindScanner measure = new DataKindScanner();
      measure.block(result);
      assertThat(measure.kind()).as("seed " + (SEED + i)).isLessThanOrEqualTo(target);
    }
    assertThat(encoded).isGreaterThan(ROUNDS / 2);
  }

  /** No octet of a kept entity changes, wherever reads and pieces end. */
  @Test
  void contentThatIsKeptComesOutAsItWentIn() throws IOException {
    SplittableRandom random = new SplittableRandom(SEED);
    for (int i = 0; i < ROUNDS; i++) {
      byte[] content = RandomMessages.write(new RandomMessages(random.nextLong()).message(i % 4));
      EncodingPlanner survey = new EncodingPlanner(DataKind.BINARY);
      MimeParser structure = new MimeParser(new ByteArrayInputStream(content), survey);
      while (structure.step()) {}
      int most = random.nextInt(1, 5000);
      try (InputStream kept = new ConvertedStream(trickle(content, most), survey.actions())) {
        assertThat(kept.readAllBytes()).isEqualTo(content);
      }
    }
  }

  @Test
  void anythingAtAllIsConvertedOrRefusedAndNeverTooWide() throws IOException {
    String[] pieces = {
      "--b",
      "--b--",
      "--bb",
      "\r\n",
      "\r\n",
      "\r\n\r\n",
      ":",
      "Content-Type: ",
      "multipart/mixed;",
      "boundary=b",
      "boundary=\"bb",
      "\"",
      "message/rfc822",
      "Content-Transfer-Encoding: ",
      "base64",
      "8bit",
      "binary",
      "(",
      ")",
      "\\",
      ";",
      "=",
      " ",
      "x",
      "\r\n\r\n\u00e4", // never in a header, where it may pass
      "\r",
      "\n",
      "\u0000",
      "text/html",
      "multipart/signed",
      "MIME-Version: 1.0\r\n",
      "y".repeat(5000)
    };
    SplittableRandom random = new SplittableRandom(SEED);
    int refused = 0;
    int converted = 0;
    int unneeded = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder();
      int count = random.nextInt(25);
      for (int j = 0; j < count; j++) text.append(pieces[random.nextInt(pieces.length)]);
      byte[] content = text.toString().getBytes(StandardCharsets.ISO_8859_1);
      Conversion conversion =
          Conversion.plan(() -> new ByteArrayInputStream(content), DataKind.SEVEN_BIT);
      if (conversion instanceof Conversion.Impossible) refused++;
      if (conversion instanceof Conversion.Unneeded) unneeded++;
      if (!(conversion instanceof Conversion.Possible possible)) continue;
      converted++;
      byte[] result = possible.convert(new ByteArrayInputStream(content)).readAllBytes();
      DataKindScanner measure = new DataKindScanner();
      measure.block(result);
      assertThat(measure.kindOfOctets()).as(text.toString()).isEqualTo(DataKind.SEVEN_BIT);
      assertThat(possible.size()).isEqualTo(result.length);
    }
    assertThat(refused).isGreaterThan(1_000);
    assertThat(converted).isGreaterThan(1_000);
    assertThat(unneeded).isGreaterThan(1_000);
  }

  @Test
  void nestingAndTheNumberOfPartsHaveAnEnd() throws IOException {
    String open = "Content-Type: message/rfc822\r\n\r\n";
    assertThat(reason(open.repeat(101) + "\u00e4")).isEqualTo("its parts are nested too deep");
    assertThat(reason(open.repeat(99) + "A: b\r\n\r\n\u00e4")).isEmpty();
    String many = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    assertThat(reason(many + "--b\r\n\r\n\u00e4\r\n".repeat(10_001)))
        .isEqualTo("it has too many parts");
    assertThat(reason("A: " + "x".repeat(300_000) + "\r\n\r\n\u00e4"))
        .isEqualTo("a header of it is too long");
  }

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("src/test/resources/mime"))) {
      return files.sorted().toList();
    }
  }

  /**
   * A file is a comment, a line {@code ! 7bit} or {@code ! 8bit}, the content, a line {@code ==>},
   * and the result: the converted content, {@code unneeded}, or {@code impossible: REASON}. {@code
   * \xHH} is an octet; line ends are CRLF.
   */
  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void theFileBecomesWhatItSays(Path file) throws IOException {
    String text = Files.readString(file, StandardCharsets.US_ASCII);
    DataKind target = text.contains("\n! 7bit\n") ? DataKind.SEVEN_BIT : DataKind.EIGHT_BIT;
    String[] halves =
        text.substring(text.indexOf('\n', text.indexOf("\n! ") + 1) + 1).split("==>\n");
    byte[] content = octets(halves[0]);
    String said =
        switch (Conversion.plan(() -> new ByteArrayInputStream(content), target)) {
          case Conversion.Unneeded unneeded -> "unneeded\r\n";
          case Conversion.Impossible impossible -> "impossible: " + impossible.reason() + "\r\n";
          case Conversion.Possible possible ->
              new String(
                  possible.convert(new ByteArrayInputStream(content)).readAllBytes(),
                  StandardCharsets.ISO_8859_1);
        };
    assertThat(said).isEqualTo(new String(octets(halves[1]), StandardCharsets.ISO_8859_1));
  }

  private static byte[] convert(byte[] content, DataKind target) throws IOException {
    return switch (Conversion.plan(() -> new ByteArrayInputStream(content), target)) {
      case Conversion.Unneeded unneeded -> content;
      case Conversion.Impossible impossible -> throw new AssertionError(impossible.reason());
      case Conversion.Possible possible ->
          possible.convert(new ByteArrayInputStream(content)).readAllBytes();
    };
  }

  private static String reason(String content) throws IOException {
    byte[] octets = content.getBytes(StandardCharsets.ISO_8859_1);
    return Conversion.plan(() -> new ByteArrayInputStream(octets), DataKind.SEVEN_BIT)
            instanceof Conversion.Impossible impossible
        ? impossible.reason()
        : "";
  }

  /** A stream that gives at most so many octets at a time. */
  private static InputStream trickle(byte[] content, int most) {
    return new ByteArrayInputStream(content) {
      @Override
      public synchronized int read(byte[] bytes, int offset, int length) {
        return super.read(bytes, offset, Math.min(most, length));
      }
    };
  }

  private static byte[] octets(String text) {
    StringBuilder octets = new StringBuilder();
    String lines = text.replace("\n", "\r\n");
    for (int i = 0; i < lines.length(); i++) {
      if (lines.startsWith("\\x", i)) {
        octets.append((char) Integer.parseInt(lines.substring(i + 2, i + 4), 16));
        i += 3;
      } else {
        octets.append(lines.charAt(i));
      }
    }
    return octets.toString().getBytes(StandardCharsets.ISO_8859_1);
  }
}
