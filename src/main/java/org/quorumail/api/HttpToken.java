package org.quorumail.api;

import java.nio.file.Path;
import java.util.List;
import org.quorumail.config.AddressPattern;
import org.quorumail.config.Section;

/**
 * {@code [[api.tokens]]}: a bearer token of its own for a person or a program.
 *
 * @param name as the audit log has it
 * @param senders the addresses that it may send as where it only injects
 */
public record HttpToken(String name, Path file, Rights rights, List<String> senders) {
  public HttpToken {
    senders = List.copyOf(senders);
  }

  /** The operations that a token allows. */
  public enum Rights {
    READ,
    /** {@code POST /api/messages} and nothing else. */
    INJECT,
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
        token.choice(
            "rights",
            Rights.class,
            Rights.READ,
            "what the token allows: reading, injecting messages only, or all");
    List<String> senders =
        token.list(
            "senders",
            "address",
            List.of(),
            "addresses that a token with rights = \"inject\" may send as: a@example.org,"
                + " @example.org, or * for all",
            HttpToken::senderPattern);
    if (rights == Rights.INJECT && senders.isEmpty() && !token.hasProblem("senders")) {
      token.problem("senders", "is missing: name the addresses, or \"*\" for all");
    }
    if (name.isEmpty() && !token.hasProblem("name")) token.problem("name", "is missing");
    if (file.toString().isEmpty() && !token.hasProblem("file")) token.problem("file", "is missing");
    return new HttpToken(name, file, rights, senders);
  }

  private static String senderPattern(String text) {
    if (text.equals("*")) return text;
    if (text.indexOf('@') < 0) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is neither an address nor @domain nor *");
    }
    return AddressPattern.parse(text).lookupKey();
  }

  private static String name(String text) {
    if (text.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,62}")) return text;
    throw new IllegalArgumentException(
        "must be at most 63 letters, digits, '.', '-' or '_' and start with a letter or digit");
  }
}
