package org.quorumail.smtp.server;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;

/** One mail transaction, RFC 5321 §3.3: begun by MAIL, ended by DATA's reply or by RSET. */
final class IncomingTransaction {
  private final ReversePath reversePath;
  private final MailOptions options;
  private final boolean smtpUtf8;
  private final Optional<MailAddress> submitter;
  private final Map<MailAddress, Recipient> recipients = new LinkedHashMap<>();

  private int acceptedCommands;

  /**
   * @param smtpUtf8 whether MAIL said SMTPUTF8, so that addresses and header may have UTF-8
   * @param submitter who first submitted the message, where the client is believed to know
   */
  IncomingTransaction(
      ReversePath reversePath,
      MailOptions options,
      boolean smtpUtf8,
      Optional<MailAddress> submitter) {
    this.reversePath = reversePath;
    this.options = options;
    this.smtpUtf8 = smtpUtf8;
    this.submitter = submitter;
  }

  ReversePath reversePath() {
    return reversePath;
  }

  MailOptions options() {
    return options;
  }

  boolean smtpUtf8() {
    return smtpUtf8;
  }

  Optional<MailAddress> submitter() {
    return submitter;
  }

  /** A repetition is one copy; what was asked for it first counts. */
  void add(Recipient recipient) {
    recipients.putIfAbsent(recipient.address(), recipient);
    acceptedCommands++;
  }

  boolean contains(MailAddress recipient) {
    return recipients.containsKey(recipient);
  }

  List<MailAddress> recipients() {
    return List.copyOf(recipients.keySet());
  }

  /** How many RCPT were accepted, those that repeated a recipient included. */
  int acceptedCommands() {
    return acceptedCommands;
  }

  int recipientCount() {
    return recipients.size();
  }

  /** The envelope as the commands gave it. */
  Envelope envelope() {
    return envelope(options);
  }

  Envelope envelope(MailOptions options) {
    return new Envelope(reversePath, List.copyOf(recipients.values()), options);
  }
}
