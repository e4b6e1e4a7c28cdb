package org.quorumail.smtp.client;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.function.Supplier;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.MailOptions.Returned;
import org.quorumail.mail.Recipient;
import org.quorumail.mime.Conversion;
import org.quorumail.mime.DataKind;

/** How a message passes over a connection with what the server offers, or why it cannot. */
sealed interface TransactionPlan {
  /**
   * @param byBdat by BDAT instead of DATA
   * @param parameters of MAIL, each with a blank before it
   * @param conversion what makes the content fit, where it does not as it is
   */
  record Sendable(boolean byBdat, String parameters, Optional<Conversion.Possible> conversion)
      implements TransactionPlan {}

  /** This server cannot take the message, whoever asks again: status of class 5. */
  record NotSendable(EnhancedStatus status, String reason) implements TransactionPlan {}

  /**
   * @param content read only where it must perhaps be converted
   * @throws IOException when it cannot be read
   */
  static TransactionPlan of(
      Transaction t,
      Supplier<InputStream> content,
      EhloCapabilities offer,
      ServerEndpoint peer,
      boolean verified,
      long nowMillis)
      throws IOException {
    MailOptions options = t.options();
    if (options.requireTls() && !(verified && offer.supports("REQUIRETLS"))) { // RFC 8689 §4.2.1
      return blocked(7, 30, peer + " does not offer REQUIRETLS over verified TLS");
    }
    if (t.needsUtf8() && !offer.supports("SMTPUTF8")) { // RFC 6531 §3.5
      return blocked(6, 7, peer + " does not take internationalized mail (no SMTPUTF8)");
    }
    Optional<DeliverBy> by = options.deliverBy();
    if (by.filter(DeliverBy::returnsWhenLate).isPresent()
        && !offer.supports("DELIVERBY")
        && !peer.lmtp()) {
      return blocked(3, 3, peer + " cannot keep the time that was set (no DELIVERBY)");
    }
    if (isSendableUnchanged(options, offer)) {
      boolean chunks = options.body() == BodyType.BINARY_MIME || options.bareLineEnds();
      return open(t, offer, peer, nowMillis, chunks, options.body(), Optional.empty());
    }
    boolean eightBit = offer.supports("8BITMIME");
    BodyType body = eightBit ? BodyType.EIGHT_BIT_MIME : BodyType.SEVEN_BIT;
    return switch (Conversion.plan(content, eightBit ? DataKind.EIGHT_BIT : DataKind.SEVEN_BIT)) {
      case Conversion.Unneeded fits ->
          open(t, offer, peer, nowMillis, false, body, Optional.empty());
      case Conversion.Possible possible ->
          open(t, offer, peer, nowMillis, false, body, Optional.of(possible));
      case Conversion.Impossible impossible ->
          blocked(
              6, 3, peer + " takes only " + supportedData(offer) + ", and " + impossible.reason());
    };
  }

  /** RFC 6152 §3, RFC 3030 §3; DATA can carry no line ends but CRLF (RFC 5321 §2.3.8). */
  private static boolean isSendableUnchanged(MailOptions options, EhloCapabilities offer) {
    if (options.bareLineEnds() && !offer.supports("CHUNKING")) return false;
    return switch (options.body()) {
      case SEVEN_BIT -> true;
      case EIGHT_BIT_MIME -> offer.supports("8BITMIME");
      case BINARY_MIME -> offer.supports("BINARYMIME") && offer.supports("CHUNKING");
    };
  }

  private static String supportedData(EhloCapabilities offer) {
    return offer.supports("8BITMIME")
        ? "lines of text (no BINARYMIME)"
        : "7-bit content (no 8BITMIME)";
  }

  private static TransactionPlan open(
      Transaction t,
      EhloCapabilities offer,
      ServerEndpoint peer,
      long nowMillis,
      boolean chunks,
      BodyType body,
      Optional<Conversion.Possible> conversion) {
    long size = conversion.map(Conversion.Possible::size).orElse(t.size());
    if (size > offer.maxSize()) { // RFC 1870 §6.1
      return blocked(3, 4, peer + " takes at most " + offer.maxSize() + " octets");
    }
    return new Sendable(chunks, mailParameters(t, size, body, offer, nowMillis), conversion);
  }

  /** What MAIL says beside the sender: all that was asked and that the server knows. */
  private static String mailParameters(
      Transaction t, long size, BodyType body, EhloCapabilities offer, long nowMillis) {
    MailOptions options = t.options();
    StringBuilder mail = new StringBuilder(64);
    if (offer.supports("SIZE")) mail.append(" SIZE=").append(size);
    switch (body) {
      case SEVEN_BIT -> {}
      case EIGHT_BIT_MIME -> mail.append(" BODY=8BITMIME");
      case BINARY_MIME -> mail.append(" BODY=BINARYMIME");
    }
    if (t.needsUtf8()) mail.append(" SMTPUTF8");
    if (options.requireTls()) mail.append(" REQUIRETLS");
    if (offer.supports("DSN")) {
      if (options.returned() == Returned.FULL) mail.append(" RET=FULL");
      if (options.returned() == Returned.HEADERS) mail.append(" RET=HDRS");
      String id = options.envelopeId();
      if (!id.isEmpty()) mail.append(" ENVID=").append(id);
    }
    if (offer.supports("MT-PRIORITY") && options.priority() != 0) {
      mail.append(" MT-PRIORITY=").append(options.priority());
    }
    if (offer.supports("DELIVERBY") && options.deliverBy().isPresent()) {
      mail.append(" BY=").append(options.deliverBy().get().parameter(nowMillis));
    }
    return mail.toString();
  }

  /** What RCPT says beside the recipient. */
  static String mailParameters(Recipient recipient, EhloCapabilities offer) {
    if (!offer.supports("DSN") || recipient.hasNoDemands()) return "";
    StringBuilder rcpt = new StringBuilder(64);
    if (recipient.notifyOn().specified()) rcpt.append(" NOTIFY=").append(recipient.notifyOn());
    String original = recipient.originalRecipient();
    if (!original.isEmpty()) rcpt.append(" ORCPT=").append(original);
    return rcpt.toString();
  }

  private static NotSendable blocked(int subject, int detail, String reason) {
    return new NotSendable(new EnhancedStatus(5, subject, detail), reason);
  }
}
