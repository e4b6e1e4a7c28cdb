package org.quorumail.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.quorumail.mail.MailAddress;
import org.quorumail.policy.RecipientTable.Existence;

class RecipientFileTableTest {
  @TempDir private Path folder;

  @Test
  void aByteOrderMarkDoesNotHideTheFirstRecipient() throws IOException {
    RecipientFileTable table = table("\uFEFFann@a.example\r\nbob@a.example\r\n");
    assertThat(find(table, "ann@a.example")).isEqualTo(Existence.KNOWN);
    assertThat(find(table, "bob@a.example")).isEqualTo(Existence.KNOWN);
    assertThat(find(table, "eve@a.example")).isEqualTo(Existence.UNKNOWN);
  }

  @Test
  void anOctetThatIsNotUtf8IsRefusedWithFileAndLine() throws IOException {
    Path file = folder.resolve("recipients");
    Files.write(file, "ann@a.example\n# M\u00fcller\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> RecipientFileTable.read(file))
        .hasMessageContaining(file + " line 2 is not UTF-8");
  }

  @Test
  void aDomainInUnicodeIsThatOfTheMessage() throws IOException {
    RecipientFileTable table = table("Ann@m\u00fcnchen.example\n@b\u00fccher.example.\n");
    assertThat(find(table, "ann@xn--mnchen-3ya.example")).isEqualTo(Existence.KNOWN);
    assertThat(find(table, "x@xn--bcher-kva.example")).isEqualTo(Existence.KNOWN);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ann@a.example OK",
        "ann@a.example # the boss",
        "<ann@a.example>",
        "*@a.example",
        "@*.example",
        "ann@a.example,bob@a.example",
        "ann@",
        "ann",
        "a.example",
        "ann@a..example",
        "ann@a.example\u00a0",
      })
  void anEntryThatNoAddressCanMatchIsRefusedWithFileAndLine(String entry) {
    assertThatThrownBy(() -> table("bob@a.example\n" + entry + "\n"))
        .hasMessageContaining(folder.resolve("recipients") + " line 2: ");
  }

  private static Existence find(RecipientFileTable table, String address) {
    return table.find(MailAddress.of(address));
  }

  private RecipientFileTable table(String text) throws IOException {
    return RecipientFileTable.read(Files.writeString(folder.resolve("recipients"), text));
  }
}
