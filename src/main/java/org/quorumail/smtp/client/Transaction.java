package org.quorumail.smtp.client;

import java.util.List;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;

/**
 * One message for some recipients at one next hop.
 *
 * @param size of the content, for the SIZE parameter (RFC 1870)
 */
public record Transaction(
    ReversePath reversePath, List<MailAddress> recipients, BodyType body, long size) {
  public Transaction {
    if (recipients.isEmpty()) throw new IllegalArgumentException("a transaction has a recipient");
    recipients = List.copyOf(recipients);
  }
}
