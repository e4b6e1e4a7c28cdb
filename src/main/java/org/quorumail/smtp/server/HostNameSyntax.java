package org.quorumail.smtp.server;

/** The syntax of host names in EHLO, XCLIENT and ETRN. */
final class HostNameSyntax {
  private static final int MAX_NAME = 255; // RFC 5321 §4.5.3.1.2
  private static final int MAX_LABEL = 63;

  private HostNameSyntax() {}

  /** Accepts more than §4.1.2: odd labels are common, and harmless in a trace header. */
  static boolean isName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) return false;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (!isLetterOrDigit(c) && ".-_:[]".indexOf(c) < 0) return false;
    }
    return true;
  }

  /** Accepts a domain of §4.1.2: labels of letters, digits and inner hyphens. */
  static boolean isDomain(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) return false;
    for (String label : name.split("\\.", -1)) {
      if (label.isEmpty() || label.length() > MAX_LABEL) return false;
      if (label.startsWith("-") || label.endsWith("-")) return false;
      if (!label.chars().allMatch(c -> isLetterOrDigit((char) c) || c == '-')) return false;
    }
    return true;
  }

  private static boolean isLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }
}
