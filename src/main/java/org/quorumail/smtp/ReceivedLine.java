package org.quorumail.smtp;

/** The result of reading one line. Texts have one character per octet (ISO 8859-1), no line end. */
public sealed interface ReceivedLine {
  /** A line that ended in CRLF. */
  record Text(String text) implements ReceivedLine {}

  /** A line that ended in LF alone, which RFC 5321 §2.3.8 forbids. */
  record BareLineFeed(String text) implements ReceivedLine {}

  /**
   * A line over the limit; it was read to its end and discarded.
   *
   * @param start its first octets, which show the command
   */
  record TooLong(String start) implements ReceivedLine {
    static final int START = 16;
  }

  /** The end of the connection; an unfinished line is lost. */
  record End() implements ReceivedLine {}
}
