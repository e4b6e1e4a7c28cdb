package org.quorumail.mail;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An enhanced status code, RFC 3463: {@code class.subject.detail}.
 *
 * @param statusClass 2 success, 4 persistent transient failure, 5 permanent failure
 */
public record EnhancedStatus(int statusClass, int subject, int detail) {
  private static final Pattern LEADING =
      Pattern.compile("^([245])\\.(\\d{1,3})\\.(\\d{1,3})(?=\\s|$)");

  public EnhancedStatus {
    if (statusClass != 2 && statusClass != 4 && statusClass != 5) {
      throw new IllegalArgumentException(
          "the class of an enhanced status is 2, 4 or 5, not " + statusClass);
    }
  }

  /** The code at the start of a reply's text (RFC 2034); empty when there is none. */
  public static Optional<EnhancedStatus> leading(String replyText) {
    Matcher m = LEADING.matcher(replyText);
    if (!m.find()) return Optional.empty();
    return Optional.of(
        new EnhancedStatus(
            Integer.parseInt(m.group(1)),
            Integer.parseInt(m.group(2)),
            Integer.parseInt(m.group(3))));
  }

  @Override
  public String toString() {
    return statusClass + "." + subject + "." + detail;
  }
}
