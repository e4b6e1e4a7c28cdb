package org.quorumail.smtp;

import java.io.IOException;

/** The other side does not speak SMTP; the connection is of no more use. */
public final class SmtpProtocolException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int QUOTED = 80; // characters of the offending line that are told

  public SmtpProtocolException(String problem, String line) {
    super(line.isEmpty() ? problem : problem + ": " + Escape.quoted(line, QUOTED));
  }
}
