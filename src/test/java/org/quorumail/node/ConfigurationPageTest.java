package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.quorumail.config.ConfigKey;

/**
 * {@code docs/configuration.md} says what the program does. After a change of the keys, run this
 * test with {@code -Dsurefire.jvm=-Ddocs.write=true} to write the table anew.
 */
class ConfigurationPageTest {
  private static final Path PAGE = Path.of("docs/configuration.md");
  private static final String BEGIN = "<!-- keys: written from the program -->\n";
  private static final String END = "<!-- end of keys -->\n";

  @Test
  void thePageListsEveryKeyAsTheProgramReadsIt() throws IOException {
    String page = Files.readString(PAGE);
    String before = page.substring(0, page.indexOf(BEGIN) + BEGIN.length());
    String after = page.substring(page.indexOf(END));
    String expected = before + table(true) + LATER + table(false) + after;
    if (Boolean.getBoolean("docs.write")) Files.writeString(PAGE, expected);
    assertThat(Files.readString(PAGE)).isEqualTo(expected);
  }

  private static final String LATER =
      """

      ## Keys of later versions
      Documented, not built yet. Their default may be written; \
      anything else is an error, never silently without effect.

      """;

  private static String table(boolean available) {
    StringBuilder table = new StringBuilder();
    table.append(
        available
            ? "| key | type | default | meaning |\n|---|---|---|---|\n"
            : "| key | default | meaning |\n|---|---|---|\n");
    for (ConfigKey key : ConfigReader.keys()) {
      if (key.available() != available) continue;
      table.append("| `").append(key.path()).append("` | ");
      if (available) table.append(key.type()).append(" | ");
      String fallback = key.fallback();
      boolean words = fallback.startsWith("(") || fallback.equals("none") || fallback.isEmpty();
      table.append(words ? fallback : '`' + fallback + '`').append(" | ");
      table.append(key.meaning()).append(" |\n");
    }
    return table.toString();
  }
}
