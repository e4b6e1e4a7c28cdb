package org.quorumail.smtp.client;

import java.util.Optional;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.MailOptions.Returned;
import org.quorumail.mail.Recipient;

/** How a message passes over a connection with what the server offers, or why it cannot. */
sealed interface Passage {
  /**
   * @param chunks by BDAT instead of DATA
   * @param parameters of MAIL, each with a blank before it
   */
  record Open(boolean chunks, String parameters) implements Passage {}

  /** This server cannot take the message, whoever asks again: status of class 5. */
  record Blocked(EnhancedStatus status, String reason) implements Passage {}

  static Passage of(Transaction t, Offer offer, Peer peer, boolean verified, long nowMillis) {
    MailOptions options = t.options();
    if (options.requireTls() && !(verified && offer.has("REQUIRETLS"))) { // RFC 8689 §4.2.1
      return blocked(7, 30, peer + " does not offer REQUIRETLS over verified TLS");
    }
    if (t.needsUtf8() && !offer.has("SMTPUTF8")) { // RFC 6531 §3.5
      return blocked(6, 7, peer + " does not take internationalized mail (no SMTPUTF8)");
    }
    boolean binary = options.body() == BodyType.BINARY_MIME;
    if (binary && !(offer.has("BINARYMIME") && offer.has("CHUNKING"))) { // RFC 3030 §3
      return blocked(6, 3, peer + " does not take binary content (no BINARYMIME)");
    }
    if (options.bareLineEnds() && !offer.has("CHUNKING")) { // DATA cannot carry it unchanged
      return blocked(6, 3, peer + " cannot take lines that end without CR LF (no CHUNKING)");
    }
    if (options.body() == BodyType.EIGHT_BIT_MIME && !offer.has("8BITMIME")) { // RFC 6152 §3
      return blocked(6, 3, peer + " takes only 7-bit content (no 8BITMIME)");
    }
    Optional<DeliverBy> by = options.deliverBy();
    if (by.filter(DeliverBy::returns).isPresent() && !offer.has("DELIVERBY") && !peer.lmtp()) {
      return blocked(3, 3, peer + " cannot keep the time that was set (no DELIVERBY)");
    }
    if (t.size() > offer.maxSize()) { // RFC 1870 §6.1
      return blocked(3, 4, peer + " takes at most " + offer.maxSize() + " octets");
    }
    return new Open(binary || options.bareLineEnds(), parameters(t, offer, nowMillis));
  }

  /** What MAIL says beside the sender: all that was asked and that the server knows. */
  private static String parameters(Transaction t, Offer offer, long nowMillis) {
    MailOptions options = t.options();
    StringBuilder mail = new StringBuilder(64);
    if (offer.has("SIZE")) mail.append(" SIZE=").append(t.size());
    switch (options.body()) {
      case SEVEN_BIT -> {}
      case EIGHT_BIT_MIME -> mail.append(" BODY=8BITMIME");
      case BINARY_MIME -> mail.append(" BODY=BINARYMIME");
    }
    if (t.needsUtf8()) mail.append(" SMTPUTF8");
    if (options.requireTls()) mail.append(" REQUIRETLS");
    if (offer.has("DSN")) {
      if (options.returned() == Returned.FULL) mail.append(" RET=FULL");
      if (options.returned() == Returned.HEADERS) mail.append(" RET=HDRS");
      String id = options.envelopeId();
      if (!id.isEmpty()) mail.append(" ENVID=").append(id);
    }
    if (offer.has("MT-PRIORITY") && options.priority() != 0) {
      mail.append(" MT-PRIORITY=").append(options.priority());
    }
    if (offer.has("DELIVERBY") && options.deliverBy().isPresent()) {
      mail.append(" BY=").append(options.deliverBy().get().parameter(nowMillis));
    }
    return mail.toString();
  }

  /** What RCPT says beside the recipient. */
  static String parameters(Recipient recipient, Offer offer) {
    if (!offer.has("DSN") || recipient.plain()) return "";
    StringBuilder rcpt = new StringBuilder(64);
    if (recipient.reports().specified()) rcpt.append(" NOTIFY=").append(recipient.reports());
    String original = recipient.originalRecipient();
    if (!original.isEmpty()) rcpt.append(" ORCPT=").append(original);
    return rcpt.toString();
  }

  private static Blocked blocked(int subject, int detail, String reason) {
    return new Blocked(new EnhancedStatus(5, subject, detail), reason);
  }
}
