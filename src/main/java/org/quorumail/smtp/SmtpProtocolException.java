package org.quorumail.smtp;

import java.io.IOException;

/** The peer violated the protocol; the connection must be closed. */
public final class SmtpProtocolException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int QUOTED = 80; // characters of the offending line in the message

  public SmtpProtocolException(String problem, String line) {
    super(line.isEmpty() ? problem : problem + ": " + Escape.quoted(line, QUOTED));
  }
}
