package org.quorumail.dsn;

import java.time.Instant;
import java.util.List;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.OriginalRecipient;
import org.quorumail.smtp.Xtext;
import org.quorumail.spool.SpooledMessage;

/** The machine-readable part of a report, RFC 3464 §2; with UTF-8 in it RFC 6533 §4. */
final class DeliveryStatusPart {
  private final String hostname;

  DeliveryStatusPart(String hostname) {
    this.hostname = hostname;
  }

  /**
   * Composes a block about the message, then one for each recipient.
   *
   * @param until the time at which a delayed message expires
   */
  String compose(
      SpooledMessage message, List<RecipientReport> recipients, Instant now, Instant until) {
    StringBuilder text = new StringBuilder(512);
    String envelopeId = message.options().envelopeId();
    if (!envelopeId.isEmpty()) {
      String decoded = ReportText.sanitize(Xtext.decode(envelopeId).orElse(envelopeId));
      text.append("Original-Envelope-Id: ").append(decoded).append('\n');
    }
    text.append("Reporting-MTA: dns; ").append(hostname).append('\n');
    Instant arrived = Instant.ofEpochMilli(message.arrivedMillis());
    text.append("Arrival-Date: ").append(ReportText.DATE.format(arrived)).append('\n');
    for (RecipientReport r : recipients) recipient(r, now, until, text);
    return text.toString();
  }

  private static void recipient(RecipientReport r, Instant now, Instant until, StringBuilder text) {
    text.append('\n').append(originalRecipient(r.recipient().originalRecipient()));
    text.append("Final-Recipient: ").append(typed(r.recipient().address()));
    text.append("\nAction: ").append(r.action().value());
    text.append("\nStatus: ").append(r.status()).append('\n');
    String host = r.remote().replaceAll("\\[.*", "");
    String diagnostic = ReportText.diagnostic(r);
    if (!host.isEmpty()) {
      text.append("Remote-MTA: dns; ").append(ReportText.sanitize(mtaName(host))).append('\n');
      text.append(ReportText.fold("Diagnostic-Code: smtp; ", diagnostic, "\n ")).append('\n');
    } else {
      text.append(ReportText.fold("Diagnostic-Code: X-Quorumail; ", diagnostic, "\n "));
      text.append('\n');
    }
    text.append("Last-Attempt-Date: ").append(ReportText.DATE.format(now)).append('\n');
    if (r.action() == DsnAction.DELAYED) {
      text.append("Will-Retry-Until: ").append(ReportText.DATE.format(until)).append('\n');
    }
  }

  /** RFC 3464 §2.3.5: an address stands in brackets, as in RFC 5321 §4.1.3. */
  private static String mtaName(String host) {
    if (host.indexOf(':') >= 0) return "[IPv6:" + host + "]";
    return host.matches("[0-9.]+") ? "[" + host + "]" : host;
  }

  private static String typed(MailAddress address) {
    return (address.ascii() ? "rfc822; " : "utf-8; ") + ReportText.address(address);
  }

  /** The field for ORCPT, decoded (RFC 3464 §2.3.1); empty when the client gave none. */
  private static String originalRecipient(String parameter) {
    int sign = parameter.indexOf(';');
    if (sign < 0) return "";
    String type = parameter.substring(0, sign);
    String decoded = OriginalRecipient.address(parameter);
    return "Original-Recipient: " + type + "; " + ReportText.sanitize(decoded) + "\n";
  }
}
