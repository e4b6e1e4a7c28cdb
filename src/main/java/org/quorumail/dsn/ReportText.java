package org.quorumail.dsn;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.Escape;

/** The text of reports. Text from servers and senders is sanitized and cannot leave its line. */
final class ReportText {
  static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private static final int MAX_LINE = 76; // where text is folded; RFC 5322 §2.1.1 wants at most 78
  private static final int MAX_DIAGNOSTIC =
      1000; // characters of one recipient, for a verbose server

  private ReportText() {}

  static String diagnostic(RecipientReport r) {
    String text = sanitize(r.diagnostic());
    return text.length() <= MAX_DIAGNOSTIC ? text : text.substring(0, MAX_DIAGNOSTIC) + "...";
  }

  /** The text as ASCII without control characters; others are escaped. */
  static String sanitize(String text) {
    String quoted = Escape.quoted(text, 2 * MAX_DIAGNOSTIC);
    return quoted.substring(1, quoted.length() - 1).replace("\\\"", "\"").replace("\\\\", "\\");
  }

  /** An address where UTF-8 is allowed: only control characters are replaced. */
  static String address(MailAddress address) {
    if (address.ascii()) return sanitize(address.toString());
    StringBuilder text = new StringBuilder(address.toString());
    for (int i = 0; i < text.length(); i++) {
      if (Character.isISOControl(text.charAt(i))) text.setCharAt(i, '?');
    }
    return text.toString();
  }

  /** Folds text at spaces; a word that is longer than a line is cut (RFC 5322 §2.1.1). */
  static String fold(String first, String text, String separator) {
    StringBuilder out = new StringBuilder(first);
    int column = first.length();
    for (String word : text.split(" ")) {
      String rest = word;
      if (column + rest.length() > MAX_LINE && column > first.length()) {
        out.append(separator);
        column = separator.length() - 1;
      }
      while (rest.length() > MAX_LINE) {
        out.append(rest, 0, MAX_LINE).append(separator);
        rest = rest.substring(MAX_LINE);
        column = separator.length() - 1;
      }
      out.append(rest).append(' ');
      column += rest.length() + 1;
    }
    return out.toString().stripTrailing();
  }

  static void append(ByteArrayOutputStream out, String text) {
    out.writeBytes(text.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8));
  }
}
