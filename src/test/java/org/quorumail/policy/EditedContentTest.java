package org.quorumail.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EditedContentTest {
  private static final String MESSAGE =
      "Subject: a\r\n folded\r\nX-Spam: no\r\nx-spam: maybe\r\n\r\nbody\r\n\r\nmore\r\n";

  @TempDir Path folder;

  @Test
  void aFieldInFrontLeavesEveryReceivedOctetAsItWas() throws IOException {
    assertThat(edited("no header at all\0\r\n", new Edit.InsertHeader(0, "X-New", "1")))
        .isEqualTo("X-New: 1\r\nno header at all\0\r\n");
    assertThat(
            edited(MESSAGE, new Edit.InsertHeader(0, "A", "1"), new Edit.InsertHeader(0, "B", "2")))
        .isEqualTo("B: 2\r\nA: 1\r\n" + MESSAGE);
  }

  @Test
  void fieldsAreInsertedAppendedChangedAndDeletedByNameAndOccurrence() throws IOException {
    assertThat(edited(MESSAGE, new Edit.InsertHeader(1, "I", "x")))
        .startsWith("Subject: a\r\n folded\r\nI: x\r\nX-Spam: no\r\n");
    assertThat(edited(MESSAGE, new Edit.AppendHeader("Z", "x")))
        .contains("x-spam: maybe\r\nZ: x\r\n\r\nbody");
    assertThat(edited(MESSAGE, new Edit.ChangeHeader("X-SPAM", 2, "yes")))
        .contains("X-Spam: no\r\nX-SPAM: yes\r\n\r\nbody");
    assertThat(edited(MESSAGE, new Edit.ChangeHeader("X-Spam", 1, "")))
        .isEqualTo(MESSAGE.replace("X-Spam: no\r\n", ""));
    assertThat(edited(MESSAGE, new Edit.ChangeHeader("X-Spam", 9, "new")))
        .contains("x-spam: maybe\r\nX-Spam: new\r\n\r\n");
  }

  @Test
  void anotherBodyKeepsTheHeader() throws IOException {
    assertThat(edited(MESSAGE, new Edit.ReplaceBody(octets("other\r\n"))))
        .isEqualTo(MESSAGE.substring(0, MESSAGE.indexOf("\r\n\r\n") + 4) + "other\r\n");
    assertThat(edited("Subject: only a header\r\n", new Edit.ReplaceBody(octets("b\r\n"))))
        .isEqualTo("Subject: only a header\r\n\r\nb\r\n");
  }

  @Test
  void noValueCanBeginAnotherFieldOrTheBody() throws IOException {
    for (String trick : List.of("a\r\nBcc: x", "a\nBcc: x", "a\rBcc: x", "a\r\n\r\nBcc: x")) {
      String all = edited(MESSAGE, new Edit.InsertHeader(0, "X", trick));
      assertThat(all).isEqualTo("X: a\r\n\tBcc: x\r\n" + MESSAGE);
    }
    assertThat(edited(MESSAGE, new Edit.InsertHeader(0, "Bad: name\r\nX", "v\0w")))
        .isEqualTo("BadnameX: vw\r\n" + MESSAGE);
  }

  @Test
  void aHeaderWithoutEndIsNotReadIntoMemory() {
    String endless = "X: y\r\n".repeat(MessageHeader.MAX_OCTETS / 6 + 2);
    assertThatThrownBy(() -> edited(endless, new Edit.ChangeHeader("X", 1, "")))
        .isInstanceOf(MessageHeader.TooLongException.class);
    String line = "X: " + "y".repeat(MessageHeader.MAX_OCTETS + 1);
    assertThatThrownBy(() -> edited(line, new Edit.AppendHeader("Z", "1")))
        .isInstanceOf(MessageHeader.TooLongException.class);
  }

  @Test
  void readingFromAnyOctetGivesTheSameAsSkipping() throws IOException {
    MessageContent content =
        EditedContent.of(octets(MESSAGE), List.of(new Edit.InsertHeader(1, "I", "x")));
    String whole = text(content, 0);
    assertThat(content.size()).isEqualTo(whole.length());
    for (int i = 0; i <= whole.length(); i++) {
      assertThat(text(content, i)).isEqualTo(whole.substring(i));
    }
  }

  @Test
  void aLargeContentGoesToAFileThatNobodyElseSees() throws IOException {
    byte[] piece = "0123456789abcdef".repeat(1_000).getBytes(StandardCharsets.US_ASCII);
    try (ContentBuffer buffer = new ContentBuffer(folder)) {
      for (int i = 0; i < 40; i++) buffer.write(piece, 0, piece.length);
      assertThat(buffer.size()).isEqualTo(640_000);
      try (Stream<Path> files = Files.list(folder)) {
        assertThat(files).isEmpty();
      }
      try (InputStream one = buffer.open();
          InputStream two = buffer.open(639_999)) {
        assertThat(two.read()).isEqualTo('f');
        assertThat(two.read()).isEqualTo(-1);
        byte[] all = one.readAllBytes();
        assertThat(all).hasSize(640_000).startsWith(piece).endsWith(piece);
      }
    }
  }

  private static String edited(String message, Edit... edits) throws IOException {
    return text(EditedContent.of(octets(message), List.of(edits)), 0);
  }

  private static MessageContent octets(String text) {
    return new InMemoryContent(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String text(MessageContent content, long from) throws IOException {
    try (InputStream in = content.open(from)) {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }
}
