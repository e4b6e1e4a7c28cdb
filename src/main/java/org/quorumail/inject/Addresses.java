package org.quorumail.inject;

import java.nio.charset.StandardCharsets;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.mime.HeaderText.NamedAddress;
import org.quorumail.smtp.PathParser;

/** The addresses of a request, read by the parser of MAIL and RCPT. */
final class Addresses {
  private Addresses() {}

  /** A recipient. */
  static MailAddress mailbox(String text, String field) {
    return switch (parse(text)) {
      case PathParser.Parsed.Mailbox box -> {
        if (!box.rest().isEmpty()) throw InjectionProblem.of(field, "is no address");
        yield box.address();
      }
      case PathParser.Parsed.Malformed bad ->
          throw InjectionProblem.of(field, "is no address: " + bad.reason());
      case PathParser.Parsed.NotUtf8 bad -> throw InjectionProblem.of(field, "is not UTF-8");
      default -> throw InjectionProblem.of(field, "is no address");
    };
  }

  /** A sender; empty or {@code <>} for none. */
  static ReversePath reversePath(String text, String field) {
    String path = text.strip();
    return path.isEmpty() || path.equals("<>")
        ? new ReversePath.Null()
        : new ReversePath.Mailbox(mailbox(path, field));
  }

  /** An address with a name before it in a header, {@code Name <address>} or {@code address}. */
  static NamedAddress named(String text, String field) {
    String entry = text.strip();
    int open = entry.lastIndexOf('<');
    if (open <= 0 || !entry.endsWith(">")) {
      return new NamedAddress("", mailbox(entry, field).toString());
    }
    String name = entry.substring(0, open).strip();
    boolean quoted = name.length() > 1 && name.startsWith("\"") && name.endsWith("\"");
    if (quoted) name = name.substring(1, name.length() - 1).replaceAll("\\\\(.)", "$1");
    return new NamedAddress(name, mailbox(entry.substring(open), field).toString());
  }

  private static PathParser.Parsed parse(String text) {
    String entry = text.strip();
    String path = entry.startsWith("<") ? entry : "<" + entry + ">";
    // the parser reads one character per octet
    byte[] octets = path.getBytes(StandardCharsets.UTF_8);
    return PathParser.parse(new String(octets, StandardCharsets.ISO_8859_1));
  }
}
