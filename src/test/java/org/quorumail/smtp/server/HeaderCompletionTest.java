package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HeaderCompletionTest {
  private static final String DATE = "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n";
  private static final String ID = "Message-ID: <id@mx.test.example>\r\n";

  @Test
  void bothAreAddedAtTheEndOfTheHeader() throws IOException {
    assertThat(complete("Subject: a\r\n\r\nDate: not one\r\n"))
        .isEqualTo("Subject: a\r\n" + DATE + ID + "\r\nDate: not one\r\n");
  }

  @Test
  void whatIsThereStays() throws IOException {
    String whole = "dAtE: x\r\nMessage-id : <y>\r\n\r\nbody\r\n";
    assertThat(complete(whole)).isEqualTo(whole);
    assertThat(complete("Date: x\r\n\r\n")).isEqualTo("Date: x\r\n" + ID + "\r\n");
    assertThat(complete("Message-ID:\r\n <y>\r\n\r\n"))
        .isEqualTo("Message-ID:\r\n <y>\r\n" + DATE + "\r\n");
  }

  @Test
  void aNameInsideAValueOrAFoldedLineIsNoField() throws IOException {
    String header = "X-Date: Date: 1\r\n Date: 2\r\n\tMessage-ID: 3\r\nDate-X: 4\r\n";
    assertThat(complete(header + "\r\n")).isEqualTo(header + DATE + ID + "\r\n");
  }

  @Test
  void whatIsNoFieldEndsTheHeader() throws IOException {
    for (String body :
        new String[] {
          "no header at all\r\n",
          ": no name\r\n",
          " starts folded\r\n",
          "Größe: x\r\n",
          "word\r\n",
          "x".repeat(5000) + ": y\r\n"
        }) {
      assertThat(complete(body)).as(body).isEqualTo(DATE + ID + body);
    }
  }

  @Test
  void aMessageMayEndAnywhere() throws IOException {
    assertThat(complete("")).isEqualTo(DATE + ID);
    assertThat(complete("Subject: a\r\n")).isEqualTo("Subject: a\r\n" + DATE + ID);
    assertThat(complete("Subject: a")).isEqualTo("Subject: a\r\n" + DATE + ID);
    assertThat(complete("Subj")).isEqualTo(DATE + ID + "Subj");
    assertThat(complete("\r")).isEqualTo(DATE + ID + "\r");
  }

  @Test
  void piecesMakeNoDifferenceAndNothingElseChanges() throws IOException {
    long seed = 4;
    Random random = new Random(seed);
    String[] parts = {"Date", "Message-ID", ":", " ", "\r\n", "\t", "x", "Subject: y", "\r\n\r\n"};
    for (int i = 0; i < 5_000; i++) {
      StringBuilder text = new StringBuilder();
      int count = random.nextInt(12);
      for (int p = 0; p < count; p++) text.append(parts[random.nextInt(parts.length)]);
      text.append("\r\n");
      String whole = complete(text.toString());
      assertThat(pieces(text.toString(), random)).as("seed %d round %d", seed, i).isEqualTo(whole);
      assertThat(whole.replace(DATE, "").replace(ID, "")).isEqualTo(text.toString());
    }
  }

  private static String complete(String text) throws IOException {
    return run(text, Integer.MAX_VALUE, new Random(1));
  }

  private static String pieces(String text, Random random) throws IOException {
    return run(text, 3, random);
  }

  private static String run(String text, int longest, Random random) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    HeaderCompletion completion =
        new HeaderCompletion(
            out::write, DATE.substring(6, DATE.length() - 2), ID.substring(12, ID.length() - 2));
    byte[] octets = text.getBytes(StandardCharsets.UTF_8);
    int at = 0;
    while (at < octets.length) {
      int length = Math.min(octets.length - at, 1 + random.nextInt(Math.min(longest, 100_000)));
      if (longest > 100_000) length = octets.length - at;
      completion.write(octets, at, length);
      at += length;
    }
    completion.finish();
    return out.toString(StandardCharsets.UTF_8);
  }
}
