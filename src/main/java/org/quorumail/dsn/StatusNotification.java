package org.quorumail.dsn;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.quorumail.config.Config;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.Escape;
import org.quorumail.spool.OwnedSpool.Notification;
import org.quorumail.spool.SpooledMessage;

/** Writes the reports of one node. */
public final class StatusNotification {
  private static final int LINE = 76; // where text is folded; RFC 5322 §2.1.1 wants at most 78
  private static final int MAX_DIAGNOSTIC = 1000; // of one recipient, for a talkative server
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private final String hostname;
  private final String author;
  private final boolean enabled;

  /** The two reports that we send. */
  private enum Kind {
    FAILURE("failed", "Undelivered mail returned to sender"),
    DELAY("delayed", "Delayed mail (it is still being tried)");

    private final String action;
    private final String subject;

    Kind(String action, String subject) {
      this.action = action;
      this.subject = subject;
    }
  }

  public StatusNotification(Config config) {
    hostname = config.hostname();
    enabled = config.delivery().dsn().enabled();
    author = config.delivery().dsn().postmaster().orElse("MAILER-DAEMON@" + hostname);
  }

  /**
   * A report that these recipients will not get the message. Empty when nobody wants it: reports
   * are off, or the message is a report itself (RFC 5321 §6.1).
   */
  public Optional<Notification> failure(
      SpooledMessage message, List<RecipientReport> recipients, InputStream content, Instant now)
      throws IOException {
    return notification(Kind.FAILURE, message, recipients, content, now, now);
  }

  /** A report that these recipients do not have the message yet. */
  public Optional<Notification> delay(
      SpooledMessage message,
      List<RecipientReport> recipients,
      InputStream content,
      Instant now,
      Instant until)
      throws IOException {
    return notification(Kind.DELAY, message, recipients, content, now, until);
  }

  private Optional<Notification> notification(
      Kind kind,
      SpooledMessage message,
      List<RecipientReport> recipients,
      InputStream content,
      Instant now,
      Instant until)
      throws IOException {
    boolean reports = enabled && !recipients.isEmpty();
    if (!reports || !(message.reversePath() instanceof ReversePath.Mailbox sender)) {
      return Optional.empty();
    }
    QueueId id = QueueId.generate(now);
    OriginalContent original = OriginalContent.read(content, message.size());
    String boundary = boundary(id, original);
    ByteArrayOutputStream out = new ByteArrayOutputStream(4096 + original.bytes().length);
    text(out, header(kind, sender, id, boundary, original.eightBit(), now));
    text(out, explanation(kind, message, recipients, boundary, until));
    text(out, status(kind, message, recipients, boundary, now, until));
    returned(out, original, boundary);
    BodyType body = original.eightBit() ? BodyType.EIGHT_BIT_MIME : BodyType.SEVEN_BIT;
    Envelope envelope = new Envelope(new ReversePath.Null(), List.of(sender.address()), body);
    return Optional.of(new Notification(id, envelope, out.toByteArray(), kind == Kind.DELAY));
  }

  private String header(
      Kind kind,
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
    Message-ID: <%s@%s>
    Auto-Submitted: auto-replied
    MIME-Version: 1.0
    Content-Type: multipart/report; report-type=delivery-status;
     boundary="%s"
    Content-Transfer-Encoding: %s

    This is a report in MIME format.

    """
        .formatted(
            DATE.format(now),
            author,
            harmless(sender.toString()),
            kind.subject,
            id,
            hostname,
            boundary,
            eightBit ? "8bit" : "7bit");
  }

  private String explanation(
      Kind kind,
      SpooledMessage message,
      List<RecipientReport> recipients,
      String boundary,
      Instant until) {
    StringBuilder text = new StringBuilder(512);
    text.append("--").append(boundary).append("\nContent-Type: text/plain; charset=us-ascii\n\n");
    text.append("This is the mail system at host ").append(hostname).append(".\n\n");
    text.append(
        kind == Kind.FAILURE
            ? "Your message could not be delivered to the recipients below.\n"
            : "Your message has not been delivered to the recipients below yet.\n"
                + "You need not send it again: it is tried until "
                + DATE.format(until)
                + ".\n");
    text.append("Its queue id was ").append(message.id()).append(".\n");
    for (RecipientReport r : recipients) {
      text.append("\n<").append(harmless(r.recipient().toString())).append(">:\n");
      text.append(folded("    ", diagnostic(r), "\n    ")).append('\n');
    }
    return text.append('\n').toString();
  }

  /** RFC 3464 §2: a block about the message, then one for each recipient. */
  private String status(
      Kind kind,
      SpooledMessage message,
      List<RecipientReport> recipients,
      String boundary,
      Instant now,
      Instant until) {
    StringBuilder text = new StringBuilder(512);
    text.append("--").append(boundary).append("\nContent-Type: message/delivery-status\n\n");
    text.append("Reporting-MTA: dns; ").append(hostname).append('\n');
    Instant arrived = Instant.ofEpochMilli(message.arrivedMillis());
    text.append("Arrival-Date: ").append(DATE.format(arrived)).append('\n');
    for (RecipientReport r : recipients) {
      text.append("\nFinal-Recipient: rfc822; ").append(harmless(r.recipient().toString()));
      text.append("\nAction: ").append(kind.action);
      text.append("\nStatus: ").append(r.status()).append('\n');
      String host = r.remote().replaceAll("\\[.*", "");
      if (!host.isEmpty()) {
        text.append("Remote-MTA: dns; ").append(harmless(host)).append('\n');
        text.append(folded("Diagnostic-Code: smtp; ", diagnostic(r), "\n ")).append('\n');
      } else {
        text.append(folded("Diagnostic-Code: X-Quorumail; ", diagnostic(r), "\n "));
        text.append('\n');
      }
      text.append("Last-Attempt-Date: ").append(DATE.format(now)).append('\n');
      if (kind == Kind.DELAY) {
        text.append("Will-Retry-Until: ").append(DATE.format(until)).append('\n');
      }
    }
    return text.append('\n').toString();
  }

  private static void returned(
      ByteArrayOutputStream out, OriginalContent original, String boundary) {
    String type = original.whole() ? "message/rfc822" : "text/rfc822-headers";
    String encoding = original.eightBit() ? "8bit" : "7bit";
    text(
        out,
        "--%s\nContent-Type: %s\nContent-Transfer-Encoding: %s\n\n"
            .formatted(boundary, type, encoding));
    original.writeTo(out);
    text(out, "\n--" + boundary + "--\n");
  }

  /** Not contained in what it delimits, RFC 2046 §5.1.1. */
  private static String boundary(QueueId id, OriginalContent original) {
    String inside = new String(original.bytes(), StandardCharsets.ISO_8859_1);
    String boundary = "=_" + id;
    for (int i = 0; inside.contains(boundary); i++) boundary = "=_" + id + "." + i;
    return boundary;
  }

  private static String diagnostic(RecipientReport r) {
    String text = harmless(r.diagnostic());
    return text.length() <= MAX_DIAGNOSTIC ? text : text.substring(0, MAX_DIAGNOSTIC) + "...";
  }

  /** ASCII without control characters: whatever a server said, it stays inside its line. */
  private static String harmless(String text) {
    String quoted = Escape.quoted(text, 2 * MAX_DIAGNOSTIC);
    return quoted.substring(1, quoted.length() - 1).replace("\\\"", "\"").replace("\\\\", "\\");
  }

  /** Breaks at spaces where it can; a word longer than a line is cut (RFC 5322 §2.1.1). */
  private static String folded(String first, String text, String separator) {
    StringBuilder out = new StringBuilder(first);
    int column = first.length();
    for (String word : text.split(" ")) {
      String rest = word;
      if (column + rest.length() > LINE && column > first.length()) {
        out.append(separator);
        column = separator.length() - 1;
      }
      while (rest.length() > LINE) {
        out.append(rest, 0, LINE).append(separator);
        rest = rest.substring(LINE);
        column = separator.length() - 1;
      }
      out.append(rest).append(' ');
      column += rest.length() + 1;
    }
    return out.toString().stripTrailing();
  }

  private static void text(ByteArrayOutputStream out, String text) {
    out.writeBytes(text.replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII));
  }
}
