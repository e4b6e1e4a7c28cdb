package org.quorumail.smtp.client;

import java.io.InputStream;
import java.util.function.Supplier;
import org.quorumail.mail.Envelope;

/**
 * One message for some recipients at one next hop.
 *
 * @param size octets of the content, for the SIZE parameter (RFC 1870)
 * @param content opened once or, when it must be converted, several times
 */
public record OutgoingMessage(Envelope envelope, long size, Supplier<InputStream> content) {
  public OutgoingMessage {
    if (envelope.recipients().isEmpty()) {
      throw new IllegalArgumentException("a transaction has at least one recipient");
    }
  }

  /** Returns whether only SMTPUTF8 can carry it (RFC 6531 §3.2). */
  boolean needsUtf8() {
    return envelope.options().utf8Header()
        || !envelope.reversePath().ascii()
        || envelope.recipients().stream().anyMatch(r -> !r.address().ascii());
  }
}
