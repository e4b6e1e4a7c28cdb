package org.quorumail.dsn;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.OriginalRecipient;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.OwnedSpool.DsnMessage;
import org.quorumail.spool.SpooledMessage;

/** Composes delivery status notifications (RFC 3464) in the name of this node. */
public final class DsnComposer {
  /** The most bytes of a report: it is part of one record of the spool. */
  private static final int MAX_REPORT = OwnedSpool.RECORD_BYTES_MAX;

  private final String hostname;
  private final String author;
  private final boolean enabled;
  private final DeliveryStatusPart status;

  /**
   * @param hostname the reporting MTA
   */
  public DsnComposer(String hostname, DsnConfig config) {
    this.hostname = hostname;
    enabled = config.enabled();
    author = config.postmaster().orElse("MAILER-DAEMON@" + hostname);
    status = new DeliveryStatusPart(hostname);
  }

  /**
   * Composes one report about these recipients. Empty when there is no recipient, when reports are
   * off, or when the message is a report itself (RFC 5321 §6.1). The caller decides whether the
   * sender wants the report (NOTIFY).
   *
   * @param until the time at which delayed recipients expire
   */
  public Optional<DsnMessage> compose(
      SpooledMessage message,
      List<RecipientReport> recipients,
      InputStream content,
      Instant now,
      Instant until)
      throws IOException {
    boolean reports = enabled && !recipients.isEmpty();
    if (!reports || !(message.reversePath() instanceof ReversePath.Mailbox stored)) {
      return Optional.empty();
    }
    // mail of older releases may have a sender without a domain
    ReversePath.Mailbox sender = new ReversePath.Mailbox(stored.address().qualified(hostname));
    QueueId id = QueueId.generate(now);
    boolean utf8 = utf8(message, recipients);
    ReturnedContent original = returnedContent(message, recipients, content);
    boolean eightBit = utf8 || original.eightBit();
    String boundary = boundary(id, original);
    ByteArrayOutputStream out = new ByteArrayOutputStream(4096 + original.bytes().length);
    ReportText.append(out, header(subject(recipients), sender, id, boundary, eightBit, now));
    part(out, boundary, utf8 ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii", utf8);
    ReportText.append(out, explanation(message, original, recipients, until));
    String machine = utf8 ? "message/global-delivery-status" : "message/delivery-status";
    part(out, boundary, machine, utf8);
    ReportText.append(out, status.compose(message, recipients, now, until));
    part(out, boundary, original.mediaType(utf8), original.eightBit());
    original.writeTo(out);
    ReportText.append(out, "\n--" + boundary + "--\n");
    return Optional.of(
        new DsnMessage(
            id,
            envelope(sender, eightBit, message.options().requireTls()),
            out.toByteArray(),
            any(recipients, DsnAction.DELAYED)));
  }

  /**
   * Composes a report again in its smallest form, after the host of its reader has refused it for
   * its content. Empty when the message is no report of this node, or has that form already.
   *
   * @param content the report as it was sent
   */
  public Optional<DsnMessage> reduce(SpooledMessage report, InputStream content, Instant now)
      throws IOException {
    boolean single = report.recipients().size() == 1;
    if (!single || !(report.reversePath() instanceof ReversePath.Null)) return Optional.empty();
    Recipient reader = report.recipients().getFirst().recipient();
    if (!reader.address().ascii() || report.size() > MAX_REPORT) return Optional.empty();
    QueueId id = QueueId.generate(now);
    MailOptions options = MailOptions.of(BodyType.SEVEN_BIT);
    Envelope envelope =
        new Envelope(
            new ReversePath.Null(),
            List.of(reader),
            report.options().requireTls() ? options.withRequireTls() : options);
    return ReducedReport.of(content.readNBytes(MAX_REPORT), messageId(report.id()), messageId(id))
        .map(bytes -> new DsnMessage(id, envelope, bytes, false));
  }

  private String messageId(QueueId id) {
    return "<" + id + "@" + hostname + ">";
  }

  /**
   * The report's envelope. The header of a report to an address with UTF-8 has UTF-8 too. The
   * report about a message that requires TLS requires TLS as well (RFC 8689 §5).
   */
  private static Envelope envelope(
      ReversePath.Mailbox sender, boolean eightBit, boolean requireTls) {
    BodyType body = eightBit ? BodyType.EIGHT_BIT_MIME : BodyType.SEVEN_BIT;
    MailOptions asked = MailOptions.of(body).withContentFacts(body, !sender.ascii(), false);
    return new Envelope(
        new ReversePath.Null(),
        List.of(new Recipient(sender.address())),
        requireTls ? asked.withRequireTls() : asked);
  }

  /**
   * RFC 3461 §4.3: RET counts for failures; other reports return the header. A stranger's mail has
   * RET=HDRS, and he may ask for a report of success to a sender whom he forges: that returns
   * nothing that he can make an advertisement of.
   */
  private static ReturnedContent returnedContent(
      SpooledMessage message, List<RecipientReport> recipients, InputStream content)
      throws IOException {
    boolean failure = any(recipients, DsnAction.FAILED);
    boolean trouble = failure || any(recipients, DsnAction.DELAYED);
    if (!trouble && message.options().returned() == MailOptions.Returned.HEADERS) {
      return ReturnedContent.identity(content);
    }
    boolean headers =
        !failure
            || message.options().returned() == MailOptions.Returned.HEADERS
            || message.options().bareLineEnds(); // DATA cannot carry it unchanged
    return headers
        ? ReturnedContent.header(content)
        : ReturnedContent.read(content, message.size());
  }

  private static boolean any(List<RecipientReport> recipients, DsnAction action) {
    return recipients.stream().anyMatch(r -> r.action() == action);
  }

  private static boolean utf8(SpooledMessage message, List<RecipientReport> recipients) {
    return message.options().utf8Header()
        || !message.reversePath().ascii()
        || recipients.stream().anyMatch(r -> !r.recipient().address().ascii());
  }

  private static String subject(List<RecipientReport> recipients) {
    if (any(recipients, DsnAction.FAILED)) return "Undelivered mail returned to sender";
    if (any(recipients, DsnAction.DELAYED)) return "Delayed mail (it is still being tried)";
    if (any(recipients, DsnAction.EXPANDED)) return "Mail sent on to several";
    return any(recipients, DsnAction.RELAYED)
        ? "Mail handed on (no more reports will come)"
        : "Mail delivered";
  }

  private String header(
      String subject,
      ReversePath.Mailbox sender,
      QueueId id,
      String boundary,
      boolean eightBit,
      Instant now) {
    return """
    Date: %s
    From: Mail Delivery System <%s>
    To: <%s>
    Subject: %s
    Message-ID: %s
    Auto-Submitted: auto-replied
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status;
     boundary="%s"
    Content-Transfer-Encoding: %s

    This is a report in MIME format.
    """
        .formatted(
            ReportText.DATE.format(now),
            author,
            ReportText.address(sender.address()),
            subject,
            messageId(id),
            boundary,
            eightBit ? "8bit" : "7bit");
  }

  private String explanation(
      SpooledMessage message,
      ReturnedContent original,
      List<RecipientReport> recipients,
      Instant until) {
    StringBuilder text = new StringBuilder(512);
    text.append("This is the mail system at host ").append(hostname).append(".\n\n");
    text.append("This is about your message\n");
    for (String name : List.of("Subject", "Date")) {
      original
          .field(name)
          .ifPresent(
              value -> {
                String sanitized = ReportText.sanitize(value);
                text.append(ReportText.fold("    " + name + ": ", sanitized, "\n        "));
                text.append('\n');
              });
    }
    text.append("    Queue id: ").append(message.id()).append('\n');
    for (DsnAction action : DsnAction.values()) {
      if (!any(recipients, action)) continue;
      text.append('\n').append(sentence(action, until));
      for (RecipientReport r : recipients) {
        if (r.action() != action) continue;
        text.append("\n<").append(ReportText.address(r.recipient().address())).append('>');
        text.append(originalAddress(r.recipient())).append(":\n");
        String host = r.remote().isEmpty() ? "" : "host " + ReportText.sanitize(r.remote()) + ": ";
        text.append(ReportText.fold("    ", host + ReportText.diagnostic(r), "\n    "))
            .append('\n');
      }
    }
    return text.toString();
  }

  /** The address that the sender used, where it is another one. */
  private static String originalAddress(Recipient recipient) {
    String original = OriginalRecipient.address(recipient.originalRecipient());
    boolean same = original.equalsIgnoreCase(recipient.address().toString());
    if (original.isEmpty() || same) return "";
    return ReportText.fold(" (expanded from <", ReportText.sanitize(original), "\n ") + ">)";
  }

  private static String sentence(DsnAction action, Instant until) {
    return switch (action) {
      case FAILED -> "It could not be delivered to the recipients below.\n";
      case DELAYED ->
          "It has not been delivered to the recipients below yet.\n"
              + "You need not send it again: it is tried until "
              + ReportText.DATE.format(until)
              + ".\n";
      case DELIVERED -> "It was delivered to the recipients below.\n";
      case EXPANDED ->
          """
          The addresses below stand for several others, to whom it is sent on.
          You will be notified about these only if something fails.
          """;
      case RELAYED ->
          """
          It was handed to a mail system that does not report deliveries,
          for the recipients below.
          """;
    };
  }

  private static void part(
      ByteArrayOutputStream out, String boundary, String type, boolean eightBit) {
    ReportText.append(
        out,
        "\n--%s\nContent-Type: %s\nContent-Transfer-Encoding: %s\n\n"
            .formatted(boundary, type, eightBit ? "8bit" : "7bit"));
  }

  /** A boundary that the returned content does not contain, RFC 2046 §5.1.1. */
  private static String boundary(QueueId id, ReturnedContent original) {
    String inside = new String(original.bytes(), StandardCharsets.ISO_8859_1);
    String boundary = "=_" + id;
    for (int i = 0; inside.contains(boundary); i++) boundary = "=_" + id + "." + i;
    return boundary;
  }
}
