package org.quorumail.api;

import java.nio.file.Path;
import org.quorumail.config.Section;

/**
 * {@code [[api.tokens]]}: a bearer token of its own for a person or a program.
 *
 * @param name as the audit log has it
 */
public record HttpToken(String name, Path file, Rights rights) {
  /** The operations that a token allows. */
  public enum Rights {
    READ,
    WRITE
  }

  static HttpToken read(Section token) {
    String name =
        token.value(
            "name",
            "name",
            "",
            "",
            "name of the token in the audit log: letters, digits, '.', '-', '_'",
            HttpToken::name);
    Path file = token.value("file", "path", "", Path.of(""), "file with the token", Path::of);
    Rights rights =
        token.choice("rights", Rights.class, Rights.READ, "whether the token also changes");
    if (name.isEmpty() && !token.hasProblem("name")) token.problem("name", "is missing");
    if (file.toString().isEmpty() && !token.hasProblem("file")) token.problem("file", "is missing");
    return new HttpToken(name, file, rights);
  }

  private static String name(String text) {
    if (text.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) return text;
    throw new IllegalArgumentException(
        "must be at most 63 letters, digits, '.', '-' or '_' and start with a letter or digit");
  }
}
