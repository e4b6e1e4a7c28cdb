package org.quorumail.classification;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.quorumail.mail.EnhancedStatus;

/**
 * An enhanced status code with parts that may be anything: {@code 5.1.1}, {@code *.2.2}, {@code
 * 4.7.*}.
 */
record StatusPattern(int statusClass, int subject, int detail) {
  private static final int ANY = -1;
  private static final Pattern FORM = Pattern.compile("([245*])\\.(\\d{1,3}|\\*)\\.(\\d{1,3}|\\*)");

  static StatusPattern parse(String text) {
    Matcher m = FORM.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is not an enhanced status code; write it like \"5.1.1\" or \"*.2.2\"");
    }
    return new StatusPattern(part(m.group(1)), part(m.group(2)), part(m.group(3)));
  }

  private static int part(String text) {
    return text.equals("*") ? ANY : Integer.parseInt(text);
  }

  boolean matches(Optional<EnhancedStatus> status) {
    return status.isPresent()
        && fits(statusClass, status.get().statusClass())
        && fits(subject, status.get().subject())
        && fits(detail, status.get().detail());
  }

  private static boolean fits(int wanted, int given) {
    return wanted == ANY || wanted == given;
  }
}
