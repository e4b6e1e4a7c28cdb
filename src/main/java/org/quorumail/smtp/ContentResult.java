package org.quorumail.smtp;

/** How the content of a message ended, RFC 5321 §4.1.1.4. */
public sealed interface ContentResult {
  /** CRLF.CRLF was reached and everything before it was clean. Size after removing dots. */
  record Complete(long size) implements ContentResult {}

  /** The end was reached, but a CR or LF stood alone before it (§2.3.8): nothing may be kept. */
  record BareLineEnd() implements ContentResult {}

  /** The end was reached, but more octets than allowed came before it: nothing may be kept. */
  record TooLarge() implements ContentResult {}

  /** The connection ended before the content did. */
  record Truncated() implements ContentResult {}
}
