package org.quorumail.smtp.server;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;

/** One mail transaction, RFC 5321 §3.3: begun by MAIL, ended by DATA's reply or by RSET. */
final class Transaction {
  private final ReversePath reversePath;
  private final BodyType body;
  private final Set<MailAddress> recipients = new LinkedHashSet<>(); // a repetition is one copy

  Transaction(ReversePath reversePath, BodyType body) {
    this.reversePath = reversePath;
    this.body = body;
  }

  ReversePath reversePath() {
    return reversePath;
  }

  void add(MailAddress recipient) {
    recipients.add(recipient);
  }

  boolean contains(MailAddress recipient) {
    return recipients.contains(recipient);
  }

  List<MailAddress> recipients() {
    return List.copyOf(recipients);
  }

  int recipientCount() {
    return recipients.size();
  }

  Envelope envelope() {
    return new Envelope(reversePath, List.copyOf(recipients), body);
  }
}
