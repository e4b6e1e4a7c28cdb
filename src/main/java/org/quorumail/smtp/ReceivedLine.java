package org.quorumail.smtp;

/**
 * What one read of a line came to. Texts hold one character per octet (ISO 8859-1), line end
 * removed.
 */
public sealed interface ReceivedLine {
  /** A line that ended in CRLF. */
  record Text(String text) implements ReceivedLine {}

  /** A line that ended in LF alone, which RFC 5321 §2.3.8 forbids. */
  record BareLineFeed(String text) implements ReceivedLine {}

  /**
   * A line over the limit; it was read to its end and thrown away.
   *
   * @param start its first octets, enough to know the command by
   */
  record TooLong(String start) implements ReceivedLine {
    static final int START = 16;
  }

  /** The connection ended; a line that was begun is lost. */
  record End() implements ReceivedLine {}
}
