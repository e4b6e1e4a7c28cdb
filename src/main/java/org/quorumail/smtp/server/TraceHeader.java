package org.quorumail.smtp.server;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.smtp.AddressLiteral;

/**
 * Composes the Received field that is put before a message, RFC 5321 §4.4. One of the two things
 * that are ever added to a message; Return-Path, the other, is left to final delivery.
 */
final class TraceHeader {
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, d MMM yyyy HH:mm:ss Z", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private TraceHeader() {}

  /**
   * @param protocol ESMTP, ESMTPS, SMTP, LMTP …: the "with" registered by RFC 3848, RFC 6531
   */
  static byte[] compose(
      FromClause peer,
      String protocol,
      String hostname,
      QueueId id,
      Envelope envelope,
      Instant now) {
    StringBuilder field = new StringBuilder(256);
    field.append("Received: from ").append(peer.name());
    field.append(" (").append(peer.reverseName().map(n -> n + " ").orElse(""));
    field.append(AddressLiteral.of(peer.address())).append(")\r\n");
    field.append("\tby ").append(hostname).append(" with ").append(protocol);
    field.append(" id ").append(id);
    if (envelope.recipients().size() == 1) { // several would disclose blind copies (§7.2)
      field.append("\r\n\tfor <").append(envelope.recipients().getFirst()).append('>');
    }
    field.append(";\r\n\t").append(date(now)).append("\r\n");
    return field.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** A date and time as RFC 5322 §3.3 has it. */
  static String date(Instant time) {
    return DATE.format(time);
  }

  /** Who connected: the name that it gave to EHLO, and the address that it really has. */
  record FromClause(String name, Optional<String> reverseName, InetAddress address) {}
}
