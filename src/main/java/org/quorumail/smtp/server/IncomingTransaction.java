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

/**
 * A mail transaction, RFC 5321 §3.3: MAIL starts it; the reply to the content, or RSET, ends it.
 */
final class IncomingTransaction {
  private final ReversePath reversePath;
  private final MailOptions options;
  private final boolean smtpUtf8;
  private final Optional<MailAddress> submitter;
  private final Map<MailAddress, Recipient> recipients = // by their canonical form
      new LinkedHashMap<>();

  private int acceptedCommands;

  /**
   * @param smtpUtf8 whether MAIL had SMTPUTF8, so that addresses and header may have UTF-8
   * @param submitter the user who submitted the message, where the client may say so
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

  /** Adds a recipient. */
  void add(Recipient recipient) {
    recipients.putIfAbsent(recipient.address().canonical(), recipient);
    acceptedCommands++;
  }

  /** Counts a repeated recipient, which keeps its first parameters. */
  void repeat() {
    acceptedCommands++;
  }

  boolean contains(MailAddress recipient) {
    return recipients.containsKey(recipient.canonical());
  }

  List<MailAddress> recipients() {
    return recipients.values().stream().map(Recipient::address).toList();
  }

  /** The number of accepted RCPT commands, repetitions included. */
  int acceptedCommands() {
    return acceptedCommands;
  }

  int recipientCount() {
    return recipients.size();
  }

  /** The envelope of the commands. */
  Envelope envelope() {
    return envelope(options);
  }

  Envelope envelope(MailOptions options) {
    return new Envelope(reversePath, List.copyOf(recipients.values()), options);
  }
}
