package org.quorumail.smtp.server;

/**
 * The start of TLS on a listener: never, by STARTTLS (RFC 3207), or with the connection (RFC 8314).
 */
public enum TlsMode {
  NONE,
  STARTTLS,
  IMPLICIT
}
