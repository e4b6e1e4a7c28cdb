package org.quorumail.smtp.server;

/** The syntax of the names of hosts in EHLO, XCLIENT and ETRN. */
final class HostNameSyntax {
  private static final int MAX_NAME = 255; // RFC 5321 §4.5.3.1.2
  private static final int MAX_LABEL = 63;
  private static final String SAFE = ".-_:[]%'/+~"; // in a Received field, beside letters, digits

  private HostNameSyntax() {}

  /**
   * Accepts any name that a client's computer can have: one octet or more, none of them a control
   * character. RFC 5321 §4.1.4 wants no refusal over the name of EHLO; {@code policy.helo} refuses
   * where an operator wants it.
   */
  static boolean isClientName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) return false;
    return name.chars().allMatch(c -> c >= ' ' && c != 0x7F);
  }

  /**
   * The name of a client for a Received field. Each character that has a meaning there, as a
   * comment or a blank has, or that is not ASCII becomes a question mark.
   */
  static String traceable(String clientName) {
    StringBuilder safe = new StringBuilder(clientName.length());
    for (int i = 0; i < clientName.length(); i++) {
      char c = clientName.charAt(i);
      safe.append(isLetterOrDigit(c) || SAFE.indexOf(c) >= 0 ? c : '?');
    }
    return safe.toString();
  }

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
