package org.quorumail.smtp.client;

import java.io.IOException;
import java.util.Optional;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.MailOptions.Returned;
import org.quorumail.mail.Recipient;
import org.quorumail.mime.Conversion;
import org.quorumail.mime.DataKind;

/** The way a message is sent with what the server offers, or the reason why it cannot be sent. */
sealed interface TransactionPlan {
  /**
   * @param byBdat whether BDAT is used instead of DATA
   * @param parameters of MAIL, each with a blank before it
   * @param conversion the encoding of the content, where the server does not take it unchanged
   */
  record Sendable(boolean byBdat, String parameters, Optional<Conversion.Possible> conversion)
      implements TransactionPlan {}

  /** The server lacks what this message needs, so no retry can help. The status has class 5. */
  record NotSendable(EnhancedStatus status, String reason) implements TransactionPlan {}

  /**
   * Plans the transaction. Reads the content only where it may have to be converted.
   *
   * @param verified whether the server has proved its name by a certificate
   * @throws IOException when the content cannot be read
   */
  static TransactionPlan of(
      OutgoingMessage message,
      EhloCapabilities server,
      ServerEndpoint peer,
      boolean verified,
      long nowMillis)
      throws IOException {
    MailOptions options = message.envelope().options();
    if (options.requireTls() && !(verified && server.supports("REQUIRETLS"))) { // RFC 8689 §4.2.1
      return notSendable(7, 30, peer + " does not offer REQUIRETLS over verified TLS");
    }
    if (message.needsUtf8() && !server.supports("SMTPUTF8")) { // RFC 6531 §3.5
      return notSendable(6, 7, peer + " does not take internationalized mail (no SMTPUTF8)");
    }
    boolean timed = options.deliverBy().filter(DeliverBy::returnsWhenLate).isPresent();
    if (timed && !server.supports("DELIVERBY") && !peer.lmtp()) {
      return notSendable(3, 3, peer + " cannot keep the time that was set (no DELIVERBY)");
    }
    return isSendableUnchanged(options, server)
        ? unchanged(message, server, peer, nowMillis)
        : converted(message, server, peer, nowMillis);
  }

  /** RFC 6152 §3, RFC 3030 §3; DATA can carry no line ends but CRLF (RFC 5321 §2.3.8). */
  private static boolean isSendableUnchanged(MailOptions options, EhloCapabilities server) {
    if (options.bareLineEnds() && !server.supports("CHUNKING")) return false;
    return switch (options.body()) {
      case SEVEN_BIT -> true;
      case EIGHT_BIT_MIME -> server.supports("8BITMIME");
      case BINARY_MIME -> server.supports("BINARYMIME") && server.supports("CHUNKING");
    };
  }

  private static TransactionPlan unchanged(
      OutgoingMessage message, EhloCapabilities server, ServerEndpoint peer, long nowMillis) {
    MailOptions options = message.envelope().options();
    if (message.size() > server.maxSize()) return tooLarge(server, peer);
    boolean byBdat = options.body() == BodyType.BINARY_MIME || options.bareLineEnds();
    String parameters = mailParameters(message, message.size(), options.body(), server, nowMillis);
    return new Sendable(byBdat, parameters, Optional.empty());
  }

  private static TransactionPlan converted(
      OutgoingMessage message, EhloCapabilities server, ServerEndpoint peer, long nowMillis)
      throws IOException {
    boolean eightBit = server.supports("8BITMIME");
    DataKind target = eightBit ? DataKind.EIGHT_BIT : DataKind.SEVEN_BIT;
    Conversion conversion = Conversion.plan(message.content(), target);
    if (conversion instanceof Conversion.Impossible impossible) {
      String taken = eightBit ? "lines of text (no BINARYMIME)" : "7-bit content (no 8BITMIME)";
      return notSendable(6, 3, peer + " takes only " + taken + ", and " + impossible.reason());
    }
    Optional<Conversion.Possible> encoding =
        conversion instanceof Conversion.Possible possible
            ? Optional.of(possible)
            : Optional.empty();
    long size = encoding.map(Conversion.Possible::size).orElse(message.size());
    if (size > server.maxSize()) return tooLarge(server, peer);
    BodyType body = eightBit ? BodyType.EIGHT_BIT_MIME : BodyType.SEVEN_BIT;
    String parameters = mailParameters(message, size, body, server, nowMillis);
    return new Sendable(false, parameters, encoding);
  }

  /** The parameters of MAIL: every demand that the server knows. */
  private static String mailParameters(
      OutgoingMessage message, long size, BodyType body, EhloCapabilities server, long nowMillis) {
    MailOptions options = message.envelope().options();
    StringBuilder mail = new StringBuilder(64);
    if (server.supports("SIZE")) mail.append(" SIZE=").append(size);
    switch (body) {
      case SEVEN_BIT -> {}
      case EIGHT_BIT_MIME -> mail.append(" BODY=8BITMIME");
      case BINARY_MIME -> mail.append(" BODY=BINARYMIME");
    }
    if (message.needsUtf8()) mail.append(" SMTPUTF8");
    if (options.requireTls()) mail.append(" REQUIRETLS");
    if (server.supports("DSN")) {
      if (options.returned() == Returned.FULL) mail.append(" RET=FULL");
      if (options.returned() == Returned.HEADERS) mail.append(" RET=HDRS");
      String id = options.envelopeId();
      if (!id.isEmpty()) mail.append(" ENVID=").append(id);
    }
    if (server.supports("MT-PRIORITY") && options.priority() != 0) {
      mail.append(" MT-PRIORITY=").append(options.priority());
    }
    if (server.supports("DELIVERBY") && options.deliverBy().isPresent()) {
      mail.append(" BY=").append(options.deliverBy().get().parameter(nowMillis));
    }
    return mail.toString();
  }

  /** The parameters of RCPT, each with a blank before it. */
  static String rcptParameters(Recipient recipient, EhloCapabilities server) {
    if (!server.supports("DSN") || recipient.hasNoDemands()) return "";
    StringBuilder rcpt = new StringBuilder(64);
    if (recipient.notifyOn().specified()) rcpt.append(" NOTIFY=").append(recipient.notifyOn());
    String original = recipient.originalRecipient();
    if (!original.isEmpty()) rcpt.append(" ORCPT=").append(original);
    return rcpt.toString();
  }

  private static NotSendable tooLarge(EhloCapabilities server, ServerEndpoint peer) {
    return notSendable(
        3, 4, peer + " takes at most " + server.maxSize() + " octets"); // RFC 1870 §6.1
  }

  private static NotSendable notSendable(int subject, int detail, String reason) {
    return new NotSendable(new EnhancedStatus(5, subject, detail), reason);
  }
}
