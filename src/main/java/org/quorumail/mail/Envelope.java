package org.quorumail.mail;

import java.util.List;

/**
 * The envelope of RFC 5321 §2.3.1: what MAIL and RCPT said, not what the headers say.
 *
 * @param recipients the forward-paths in the order of the RCPT commands, without repetitions
 */
public record Envelope(ReversePath reversePath, List<MailAddress> recipients, BodyType body) {
  /** The BODY parameter of MAIL, RFC 6152. */
  public enum BodyType {
    SEVEN_BIT,
    EIGHT_BIT_MIME
  }

  public Envelope {
    recipients = List.copyOf(recipients);
  }
}
