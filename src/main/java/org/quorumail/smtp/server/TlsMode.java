package org.quorumail.smtp.server;

public enum TlsMode {
  NONE,
  STARTTLS,
  IMPLICIT
}
