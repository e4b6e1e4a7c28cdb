package org.quorumail.smtp.client;

import org.quorumail.mail.EnhancedStatus;

/** What came of the wish to open a connection. */
public sealed interface ConnectResult {
  record Connected(SmtpConnection connection) implements ConnectResult {}

  /** This address is of no use now; another one may be. The status has class 4. */
  record Unusable(EnhancedStatus status, String reason) implements ConnectResult {}

  /** The server speaks, but not the TLS that is required: it does not offer it. */
  record TlsNotOffered(String reason) implements ConnectResult {}

  /** The server introduced itself by our own name: mail would go round in circles. */
  record MailLoop(String reason) implements ConnectResult {}
}
