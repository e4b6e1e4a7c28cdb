package org.quorumail.smtp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Compares the reading of content with a simple model of RFC 5321 §4.1.1.4 and §4.5.2. */
class ContentTest {
  private static final String ALPHABET = "\r\n\r\n..a\0\u00e9";
  private static final long ANY_SIZE = Long.MAX_VALUE;

  @Test
  void everyInputIsReadAsTheRfcSaysHoweverItIsCutIntoPieces() throws IOException {
    int complete = 0;
    for (long seed = 0; seed < 20_000; seed++) {
      Random random = new Random(seed);
      String sent = randomText(random, 24) + "\r\n.\r\nNOOP\r\n";
      SmtpReader reader = new SmtpReader(new Pieces(sent, random), () -> {});
      ByteArrayOutputStream kept = new ByteArrayOutputStream();
      ContentResult content = reader.readContent(ANY_SIZE, kept::write);

      String framed = "\r\n" + sent; // the CRLF of the DATA command counts
      int end = framed.indexOf("\r\n.\r\n");
      String raw = framed.substring(2, Math.max(2, end + 2));
      String rest = framed.substring(end + 5);
      boolean clean = raw.replace("\r\n", "").chars().noneMatch(c -> c == '\r' || c == '\n');
      if (clean) {
        complete++;
        String unstuffed = ("\r\n" + raw).replace("\r\n.", "\r\n").substring(2);
        assertThat(content)
            .as("seed %d", seed)
            .isEqualTo(new ContentResult.Complete(unstuffed.length()));
        assertThat(kept.toString(StandardCharsets.ISO_8859_1))
            .as("seed %d", seed)
            .isEqualTo(unstuffed);
      } else {
        assertThat(content).as("seed %d", seed).isInstanceOf(ContentResult.BareLineEnd.class);
      }
      assertThat(remaining(reader)).as("seed %d", seed).isEqualTo(rest);
    }
    assertThat(complete).as("contents that are legal").isBetween(1_000, 19_000);
  }

  @Test
  void whatIsWrittenIsCleanAndIsReadBackWithItsLineEndsNormalized() throws IOException {
    for (long seed = 0; seed < 20_000; seed++) {
      Random random = new Random(seed);
      String text = randomText(random, 40);
      ByteArrayOutputStream wire = new ByteArrayOutputStream();
      SmtpWriter writer = new SmtpWriter(wire);
      writer.content(new Pieces(text, random));
      writer.endContent();
      writer.flush();

      String normalized = text.replace("\r\n", "\n").replace('\r', '\n').replace("\n", "\r\n");
      if (!normalized.isEmpty() && !normalized.endsWith("\r\n")) normalized += "\r\n";
      ByteArrayOutputStream back = new ByteArrayOutputStream();
      SmtpReader reader = new SmtpReader(new ByteArrayInputStream(wire.toByteArray()), () -> {});
      ContentResult content = reader.readContent(ANY_SIZE, back::write);
      assertThat(content).as("seed %d", seed).isInstanceOf(ContentResult.Complete.class);
      assertThat(back.toString(StandardCharsets.ISO_8859_1))
          .as("seed %d", seed)
          .isEqualTo(normalized);
      assertThat(reader.buffered()).as("seed %d", seed).isZero();
    }
  }

  @Test
  void aLargeMessageGoesThroughUnchanged() throws IOException {
    Random random = new Random(7);
    StringBuilder lines = new StringBuilder();
    while (lines.length() < 3_000_000) {
      lines.append(".".repeat(random.nextInt(3))).append("x".repeat(random.nextInt(90)));
      lines.append("\r\n");
    }
    ByteArrayOutputStream wire = new ByteArrayOutputStream();
    SmtpWriter writer = new SmtpWriter(wire);
    writer.content(new Pieces(lines.toString(), random));
    writer.endContent();
    writer.flush();
    ByteArrayOutputStream back = new ByteArrayOutputStream();
    new SmtpReader(new ByteArrayInputStream(wire.toByteArray()), () -> {})
        .readContent(ANY_SIZE, back::write);
    assertThat(back.toString(StandardCharsets.ISO_8859_1)).isEqualTo(lines.toString());
  }

  @Test
  void contentAboveTheLimitIsReadToItsEndAndNotKept() throws IOException {
    SmtpReader reader = new SmtpReader(stream("12345\r\n67890\r\n.\r\nQUIT\r\n"), () -> {});
    ByteArrayOutputStream kept = new ByteArrayOutputStream();
    assertThat(reader.readContent(10, kept::write)).isInstanceOf(ContentResult.TooLarge.class);
    assertThat(kept.size()).isLessThanOrEqualTo(10);
    assertThat(reader.readLine(512)).isEqualTo(new ReceivedLine.Text("QUIT"));
  }

  @Test
  void aConnectionThatEndsInsideIsACut() throws IOException {
    SmtpReader reader = new SmtpReader(stream("12345\r\n.\r"), () -> {});
    assertThat(reader.readContent(ANY_SIZE, (b, o, l) -> {}))
        .isInstanceOf(ContentResult.Truncated.class);
  }

  private static String remaining(SmtpReader reader) throws IOException {
    StringBuilder rest = new StringBuilder();
    while (true) {
      ReceivedLine line = reader.readLine(512);
      if (line instanceof ReceivedLine.Text clean) rest.append(clean.text()).append("\r\n");
      else if (line instanceof ReceivedLine.BareLineFeed bare)
        rest.append(bare.text()).append("\n");
      else return rest.toString();
    }
  }

  private static String randomText(Random random, int max) {
    StringBuilder text = new StringBuilder();
    int length = random.nextInt(max);
    for (int i = 0; i < length; i++) {
      text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return text.toString();
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** A stream of pieces of random length, as a network delivers them. */
  private static final class Pieces extends InputStream {
    private final InputStream whole;
    private final Random random;

    Pieces(String text, Random random) {
      this.whole = stream(text);
      this.random = random;
    }

    @Override
    public int read() throws IOException {
      return whole.read();
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int most = random.nextInt(4) == 0 ? length : 1 + random.nextInt(5);
      return whole.read(bytes, offset, Math.min(length, most));
    }
  }
}
