package org.quorumail.smtp.server;

import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;

/**
 * The parameters of MAIL and RCPT, RFC 5321 §4.1.2 (esmtp-param). Only those of extensions that
 * EHLO offered are known; any other is refused, because it asks for something we would not do.
 */
sealed interface MailParameters {
  /**
   * @param size what the client announces, RFC 1870 §5; 0 when it announces nothing
   */
  record Valid(long size, BodyType body) implements MailParameters {}

  record Refused(Reply reply) implements MailParameters {}

  int MAX_SIZE_DIGITS = 20; // RFC 1870 §4

  static MailParameters parseMail(String text) {
    long size = 0;
    BodyType body = BodyType.SEVEN_BIT;
    Set<String> seen = new HashSet<>();
    for (String parameter : text.strip().split(" +")) {
      if (parameter.isEmpty()) continue;
      int sign = parameter.indexOf('=');
      String name = sign < 0 ? parameter : parameter.substring(0, sign);
      String value = sign < 0 ? "" : parameter.substring(sign + 1);
      if (!seen.add(name.toUpperCase(Locale.ROOT))) return malformed(name + " is given twice");
      switch (name.toUpperCase(Locale.ROOT)) {
        case "SIZE" -> {
          if (!isNumber(value)) return malformed("SIZE wants a number");
          size = value.length() > 18 ? Long.MAX_VALUE : Long.parseLong(value);
        }
        case "BODY" -> {
          if (value.equalsIgnoreCase("8BITMIME")) body = BodyType.EIGHT_BIT_MIME;
          else if (!value.equalsIgnoreCase("7BIT")) return malformed("BODY is 7BIT or 8BITMIME");
        }
        default -> {
          return unknown(name);
        }
      }
    }
    return new Valid(size, body);
  }

  /** No extension with parameters for RCPT is offered. */
  static MailParameters parseRcpt(String text) {
    String rest = text.strip();
    if (rest.isEmpty()) return new Valid(0, BodyType.SEVEN_BIT);
    int end = rest.indexOf(' ');
    String first = end < 0 ? rest : rest.substring(0, end);
    int sign = first.indexOf('=');
    return unknown(sign < 0 ? first : first.substring(0, sign));
  }

  private static boolean isNumber(String value) {
    if (value.isEmpty() || value.length() > MAX_SIZE_DIGITS) return false;
    for (int i = 0; i < value.length(); i++) {
      if (value.charAt(i) < '0' || value.charAt(i) > '9') return false;
    }
    return true;
  }

  private static Refused malformed(String problem) {
    return new Refused(Reply.of(501, "5.5.4", problem));
  }

  private static Refused unknown(String name) {
    return new Refused(Reply.of(555, "5.5.4", "Unsupported parameter " + Escape.quoted(name, 40)));
  }
}
