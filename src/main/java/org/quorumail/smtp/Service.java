package org.quorumail.smtp;

public enum Service {
  MX,
  SUBMISSION,
  LMTP
}
