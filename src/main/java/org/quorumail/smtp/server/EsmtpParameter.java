package org.quorumail.smtp.server;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;

/**
 * A parameter of MAIL or RCPT, RFC 5321 §4.1.2 (esmtp-param).
 *
 * @param keyword in upper case
 * @param value the text after the equals sign, one character per octet; empty without a sign
 */
record EsmtpParameter(String keyword, boolean hasValue, String value) {
  /** The result of splitting the text after a path. */
  sealed interface Split {
    record Parameters(List<EsmtpParameter> all) implements Split {}

    record Refused(Reply reply) implements Split {}
  }

  static Split split(String rest) {
    if (!rest.isEmpty() && rest.charAt(0) != ' ') {
      return new Split.Refused(malformedReply("A blank precedes parameters"));
    }
    List<EsmtpParameter> all = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    for (String text : rest.strip().split(" +")) {
      if (text.isEmpty()) continue;
      int sign = text.indexOf('=');
      String keyword = (sign < 0 ? text : text.substring(0, sign)).toUpperCase(Locale.ROOT);
      if (!seen.add(keyword)) {
        return new Split.Refused(malformedReply(Escape.quoted(keyword, 40) + " is given twice"));
      }
      all.add(new EsmtpParameter(keyword, sign >= 0, sign < 0 ? "" : text.substring(sign + 1)));
    }
    return new Split.Parameters(all);
  }

  static Reply malformedReply(String problem) {
    return Reply.of(501, "5.5.4", problem);
  }

  /** The refusal of a parameter that was not offered, which must not be ignored (§4.1.1.11). */
  Reply unsupportedReply() {
    return Reply.of(555, "5.5.4", "Unsupported parameter " + Escape.quoted(keyword, 40));
  }
}
