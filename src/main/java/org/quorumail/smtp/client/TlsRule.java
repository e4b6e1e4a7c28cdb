package org.quorumail.smtp.client;

/** What must be true of a connection before mail goes over it. */
public enum TlsRule {
  /** Encrypted when the server offers it, to whoever answers; plain text otherwise (RFC 7435). */
  OPPORTUNISTIC,
  /** Encrypted, with any certificate. */
  ENCRYPTED,
  /** Encrypted, with a certificate that a trusted issuer gave for the host's name. */
  VERIFIED
}
