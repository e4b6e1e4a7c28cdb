package org.quorumail.smtp.server;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.smtp.AddressLiteral;

/**
 * The composer of the Received field that this host prepends to a message, RFC 5321 §4.4. The other
 * trace field, Return-Path, is added by the host that makes the final delivery.
 */
final class TraceHeader {
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private TraceHeader() {}

  static byte[] compose(ReceivingSession source, QueueId id, Envelope envelope) {
    String name = source.helo().map(HostNameSyntax::traceable).orElse("unknown");
    String reverseName = source.reverseName().map(reverse -> reverse + " ").orElse("");
    StringBuilder field = new StringBuilder(256);
    field.append("Received: from ").append(name);
    field.append(" (").append(reverseName);
    field.append(AddressLiteral.of(source.client())).append(")\r\n");
    field.append("\tby ").append(source.hostname());
    field.append(" with ").append(source.protocol());
    field.append(" id ").append(id);
    if (envelope.recipients().size() == 1) { // several would disclose blind copies (§7.2)
      field.append("\r\n\tfor <").append(envelope.recipients().getFirst()).append('>');
    }
    field.append(";\r\n\t").append(date(source.server().clock().instant())).append("\r\n");
    return field.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Formats a date and time, RFC 5322 §3.3. */
  static String date(Instant time) {
    return DATE.format(time);
  }
}
