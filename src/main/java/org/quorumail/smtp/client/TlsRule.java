package org.quorumail.smtp.client;

/** The condition that a connection must meet before mail is sent over it. */
public enum TlsRule {
  /** Encrypted when the server offers it, with any certificate; else plain text (RFC 7435). */
  OPPORTUNISTIC,
  /** Encrypted, with any certificate. */
  ENCRYPTED,
  /** Encrypted, with a certificate by a trusted issuer for a name that the endpoint may have. */
  VERIFIED
}
