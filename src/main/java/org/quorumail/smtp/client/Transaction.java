package org.quorumail.smtp.client;

import java.util.List;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;

/**
 * One message for some recipients at one next hop.
 *
 * @param size of the content, for the SIZE parameter (RFC 1870)
 */
public record Transaction(
    ReversePath reversePath, List<Recipient> recipients, MailOptions options, long size) {
  public Transaction {
    if (recipients.isEmpty()) throw new IllegalArgumentException("a transaction has a recipient");
    recipients = List.copyOf(recipients);
  }

  /** A transaction in which nothing is asked but a kind of body. */
  public Transaction(
      ReversePath reversePath, List<MailAddress> recipients, BodyType body, long size) {
    this(reversePath, recipients.stream().map(Recipient::new).toList(), MailOptions.of(body), size);
  }

  /** Whether only SMTPUTF8 can carry it. */
  boolean needsUtf8() {
    return options.utf8Header()
        || !reversePath.ascii()
        || recipients.stream().anyMatch(r -> !r.address().ascii());
  }
}
