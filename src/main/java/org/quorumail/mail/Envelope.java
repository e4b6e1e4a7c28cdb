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

  /** Gives this domain to each address without one, such as the bare postmaster of §4.5.1. */
  public Envelope qualified(String domain) {
    if (isQualified()) return this;
    ReversePath sender =
        reversePath instanceof ReversePath.Mailbox box
            ? new ReversePath.Mailbox(box.address().qualified(domain))
            : reversePath;
    List<Recipient> all =
        recipients.stream().map(r -> r.withAddress(r.address().qualified(domain))).toList();
    return new Envelope(sender, all, options);
  }

  /** Returns whether each address has a domain. */
  public boolean isQualified() {
    boolean sender =
        !(reversePath instanceof ReversePath.Mailbox box) || !box.address().domain().isEmpty();
    return sender && recipients.stream().noneMatch(r -> r.address().domain().isEmpty());
  }

  /** An envelope without demands but a kind of body. */
  public Envelope(ReversePath reversePath, List<MailAddress> recipients, BodyType body) {
    this(reversePath, recipients.stream().map(Recipient::new).toList(), MailOptions.of(body));
  }
}
