package org.quorumail.smtp;

/** The service of a listener: relay (MX), submission (RFC 6409) or LMTP (RFC 2033). */
public enum Service {
  MX,
  SUBMISSION,
  LMTP
}
