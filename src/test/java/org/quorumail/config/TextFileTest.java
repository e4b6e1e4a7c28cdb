package org.quorumail.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFileTest {
  @TempDir private Path folder;

  @Test
  void aByteOrderMarkIsNoPartOfTheText() throws IOException {
    assertThat(lines("\uFEFFone\r\ntwo\r\n")).containsExactly("one", "two");
    assertThat(TextFile.read(file("\uFEFFone\r\ntwo"), 100)).isEqualTo("one\ntwo\n");
  }

  @Test
  void everyEndOfALineCounts() throws IOException {
    assertThat(lines("a\nb\r\nc\rd\n\n\r\re")).containsExactly("a", "b", "c", "d", "", "", "", "e");
    assertThat(lines("")).isEmpty();
  }

  @Test
  void anOctetThatIsNotUtf8IsRefusedWithItsLine() throws IOException {
    Path file = folder.resolve("latin1");
    Files.write(file, "ok\r\n# M\u00fcller\r\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> TextFile.read(file, 100))
        .hasMessage(file + " line 2 is not UTF-8; save the file as UTF-8");
  }

  @Test
  void otherEncodingsAreNamed() throws IOException {
    Path file = folder.resolve("utf16");
    for (Charset order : List.of(StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
      Files.write(file, "\uFEFFone\r\n".getBytes(order));
      assertThatThrownBy(() -> TextFile.read(file, 100))
          .hasMessage(file + " line 1 is UTF-16 text; save the file as UTF-8");
      Files.write(file, "one\r\n".getBytes(order));
      assertThatThrownBy(() -> TextFile.read(file, 100)).hasMessageContaining("line 1 has a NUL");
    }
    assertThatThrownBy(() -> lines("one\n\uFEFFtwo\n")).hasMessageContaining("line 2 has a byte");
  }

  @Test
  void aFileThatCannotBeReadIsNamed() throws IOException {
    assertThatThrownBy(() -> TextFile.read(folder.resolve("no"), 9))
        .hasMessage("there is no file " + folder.resolve("no"));
    assertThatThrownBy(() -> TextFile.read(folder, 1 << 20)).hasMessageContaining("cannot be read");
    assertThatThrownBy(() -> TextFile.read(file("ten octets"), 9)).hasMessageContaining("larger");
    assertThatThrownBy(() -> lines("x".repeat(2 << 20))).hasMessageContaining("line 1 is longer");
  }

  private List<String> lines(String text) throws IOException {
    List<String> lines = new ArrayList<>();
    try (TextFile file = TextFile.open(file(text))) {
      for (String line = file.next(); line != null; line = file.next()) {
        lines.add(line);
        assertThat(file.number()).isEqualTo(lines.size());
      }
    }
    return lines;
  }

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("file"), text);
  }
}
