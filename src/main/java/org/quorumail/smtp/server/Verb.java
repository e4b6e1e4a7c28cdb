package org.quorumail.smtp.server;

/** The verb of a command that this server recognizes, whether it executes the command or not. */
enum Verb {
  EHLO,
  HELO,
  LHLO,
  MAIL,
  RCPT,
  DATA,
  RSET,
  NOOP,
  VRFY,
  EXPN,
  HELP,
  QUIT,
  STARTTLS,
  AUTH,
  BDAT,
  ETRN,
  XCLIENT,
  TURN,
  /** An HTTP request, perhaps by a script in a browser (ALPACA). */
  HTTP,
  UNKNOWN;

  /** RFC 5321 §4.5.3.1.4: 512 octets, more only where extensions have parameters. */
  static final int MAX_LINE = 512;

  private static final Verb[] ALL = values();

  static Verb of(String line) {
    int end = line.indexOf(' ');
    String name = end < 0 ? line : line.substring(0, end);
    for (Verb verb : ALL) {
      if (verb.isCommand() && verb.name().equalsIgnoreCase(name)) return verb;
    }
    return switch (name) {
      case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PATCH", "PRI" -> HTTP;
      default -> UNKNOWN;
    };
  }

  /** Returns the text after the verb, without blanks around it. */
  static String argument(String line) {
    int end = line.indexOf(' ');
    return end < 0 ? "" : line.substring(end + 1).strip();
  }

  /** Whether the command may exceed 512 octets, up to the configured line limit. */
  boolean hasParameters() {
    return this == MAIL || this == RCPT || this == AUTH || this == XCLIENT;
  }

  private boolean isCommand() {
    return this != HTTP && this != UNKNOWN;
  }
}
