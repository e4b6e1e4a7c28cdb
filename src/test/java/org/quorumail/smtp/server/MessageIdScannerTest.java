package org.quorumail.smtp.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MessageIdScannerTest {
  @ParameterizedTest
  @CsvSource({
    "'Message-ID: <a@b>|', <a@b>",
    "'Subject: x|message-id:<a@b>|', <a@b>",
    "'Message-Id: |  <a@b>|To: c|', <a@b>",
    "'Message-ID: <first@b>|Message-ID: <second@b>|', <first@b>",
    "'X-Message-ID: <no@b>|Message-ID: <a@b>|', <a@b>",
  })
  void theFirstFieldCounts(String header, String expected) {
    for (int piece : new int[] {1, 3, 1000}) {
      assertThat(scan(header.replace("|", "\r\n") + "\r\nbody", piece).messageId())
          .as("in pieces of %d", piece)
          .hasValue(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"'Subject: x|'", "'Message-ID:|'", "'Message-ID: |To: a|'", "''"})
  void aMessageWithoutOneHasNone(String header) {
    String content = header.replace("|", "\r\n") + "\r\nMessage-ID: <of@body>\r\n";
    assertThat(scan(content, 7).messageId()).isEmpty();
  }

  @Test
  void aLongFieldIsCutAndAHeaderWithoutEndIsReadToALimit() {
    assertThat(scan("Message-ID: <" + "a".repeat(5_000) + ">\r\n", 512).messageId())
        .hasValueSatisfying(id -> assertThat(id).hasSizeLessThanOrEqualTo(300));
    String lines = "X: y\r\n".repeat(20_000);
    assertThat(scan(lines + "Message-ID: <late@b>\r\n\r\n", 4_096).messageId()).isEmpty();
  }

  private static MessageIdScanner scan(String content, int piece) {
    MessageIdScanner scanner = new MessageIdScanner();
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    for (int at = 0; at < bytes.length; at += piece) {
      scanner.accept(bytes, at, Math.min(piece, bytes.length - at));
    }
    return scanner;
  }
}
