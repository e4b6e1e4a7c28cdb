package org.quorumail.smtp.client;

import org.quorumail.mail.EnhancedStatus;

/** The result of opening a connection. */
public sealed interface ConnectResult {
  record Connected(SmtpConnection connection) implements ConnectResult {}

  /** The address cannot be used now; another one may work. The status has class 4. */
  record Unusable(EnhancedStatus status, String reason) implements ConnectResult {}

  /** The server replies, but does not offer the TLS that is required. */
  record TlsNotOffered(String reason) implements ConnectResult {}

  /**
   * The server does not let this node log in, or its secret cannot be read: an operator must look.
   * The status has class 4, since no recipient is at fault.
   */
  record LoginRefused(EnhancedStatus status, String reason) implements ConnectResult {}

  /** The server greets with the name of this node: mail would loop. */
  record MailLoop(String reason) implements ConnectResult {}
}
