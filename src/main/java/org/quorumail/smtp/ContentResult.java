package org.quorumail.smtp;

/** The result of reading the content of a message, RFC 5321 §4.1.1.4. */
public sealed interface ContentResult {
  /**
   * CRLF.CRLF was reached and the content before it was clean; the size is without stuffed dots.
   */
  record Complete(long size) implements ContentResult {}

  /** The end was reached, but a CR or LF stood alone before it (§2.3.8): the message is refused. */
  record BareLineEnd() implements ContentResult {}

  /** The end was reached after more octets than allowed: the message is refused. */
  record TooLarge() implements ContentResult {}

  /** The connection ended before the content did. */
  record Truncated() implements ContentResult {}
}
