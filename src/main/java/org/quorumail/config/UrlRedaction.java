package org.quorumail.config;

import java.util.regex.Pattern;

/** The removal of user names, passwords and keys from URLs that a text contains. */
public final class UrlRedaction {
  private static final Pattern USER = Pattern.compile("([a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#\\s\"]*@");

  private static final Pattern PARAMETER =
      Pattern.compile(
          "([?&][^=&#\\s\"]*(?:token|key|secret|passw|pwd|auth|sig)[^=&#\\s\"]*=)[^&#\\s\"]*",
          Pattern.CASE_INSENSITIVE);

  private UrlRedaction() {}

  /** Returns the text with {@code ***} in these places. */
  public static String redact(String text) {
    if (!text.contains("://")) return text;
    String withoutUser = USER.matcher(text).replaceAll("$1***@");
    return PARAMETER.matcher(withoutUser).replaceAll("$1***");
  }
}
