package org.quorumail.mail;

import java.util.List;

/**
 * The envelope of RFC 5321 §2.3.1: the paths of MAIL and RCPT, not those of the headers.
 *
 * @param recipients the forward-paths in the order of the RCPT commands, without repetitions; then
 *     the aliases that are {@linkplain Recipient#expanded expanded}
 */
public record Envelope(ReversePath reversePath, List<Recipient> recipients, MailOptions options) {
  /** The BODY parameter of MAIL, RFC 6152 and RFC 3030 §3. */
  public enum BodyType {
    SEVEN_BIT,
    EIGHT_BIT_MIME,
    BINARY_MIME
  }

  public Envelope {
    recipients = List.copyOf(recipients);
  }

  /** An envelope without demands but a kind of body. */
  public Envelope(ReversePath reversePath, List<MailAddress> recipients, BodyType body) {
    this(reversePath, recipients.stream().map(Recipient::new).toList(), MailOptions.of(body));
  }
}
