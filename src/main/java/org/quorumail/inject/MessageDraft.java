package org.quorumail.inject;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.inject.Placeholders.Place;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.mime.HeaderText;
import org.quorumail.mime.HeaderText.NamedAddress;
import org.quorumail.mime.MessageComposer;
import org.quorumail.mime.MessageComposer.Attachment;

/**
 * A message of a request before it is composed.
 *
 * @param data for all recipients
 * @param personal whether each recipient gets a message of its own
 */
record MessageDraft(
    ReversePath sender,
    List<DraftRecipient> recipients,
    Map<String, String> data,
    boolean personal,
    DraftContent content) {
  MessageDraft {
    recipients = List.copyOf(recipients);
  }

  /**
   * A recipient of the envelope.
   *
   * @param named as a header shows it
   * @param field the field of the request that has it
   */
  record DraftRecipient(
      MailAddress address, NamedAddress named, Map<String, String> data, String field) {}

  /** The content of a draft. */
  sealed interface DraftContent {
    /**
     * A message that the client has composed.
     *
     * @param octets one character per octet
     */
    record Raw(String octets) implements DraftContent {}

    /**
     * A message that this node composes.
     *
     * @param to empty to show each recipient to itself
     */
    record Composed(
        NamedAddress from,
        List<NamedAddress> to,
        List<NamedAddress> cc,
        List<NamedAddress> replyTo,
        String subject,
        List<HeaderField> headers,
        Optional<String> text,
        Optional<String> html,
        List<Attachment> attachments)
        implements DraftContent {}
  }

  /**
   * A field that the client adds.
   *
   * @param field the field of the request that has it
   */
  record HeaderField(String name, String value, String field) {}

  /** The message for all recipients. */
  byte[] compose(MessageComposer composer, long limit) {
    boolean filled = !data.isEmpty();
    return compose(composer, filled ? new Placeholders(data, "data", limit) : null, List.of());
  }

  /** The message for one recipient. */
  byte[] composeFor(DraftRecipient recipient, MessageComposer composer, long limit) {
    Map<String, String> values = new HashMap<>(data);
    values.put("address", recipient.address().toString());
    values.putAll(recipient.data());
    Placeholders filled = new Placeholders(values, recipient.field() + ".data", limit);
    return compose(composer, filled, List.of(recipient.named()));
  }

  private byte[] compose(
      MessageComposer composer, @Nullable Placeholders values, List<NamedAddress> shown) {
    return switch (content) {
      case DraftContent.Raw raw -> raw(raw.octets(), values);
      case DraftContent.Composed c -> composed(c, composer, values, shown);
    };
  }

  /** Values are octets of UTF-8, and end no line: they could stand in the header. */
  private static byte[] raw(String octets, @Nullable Placeholders values) {
    String text = values == null ? octets : values.ofOctets().fill(octets, Place.TEXT);
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] composed(
      DraftContent.Composed c,
      MessageComposer composer,
      @Nullable Placeholders values,
      List<NamedAddress> shown) {
    List<String> fields = new ArrayList<>();
    fields.add(addresses("From", List.of(c.from()), values, "from"));
    List<NamedAddress> to = c.to().isEmpty() ? shown : c.to();
    if (!to.isEmpty()) fields.add(addresses("To", to, values, "to"));
    if (!c.cc().isEmpty()) fields.add(addresses("Cc", c.cc(), values, "cc"));
    if (!c.replyTo().isEmpty()) {
      fields.add(addresses("Reply-To", c.replyTo(), values, "reply_to"));
    }
    if (!c.subject().isEmpty()) fields.add(field("Subject", c.subject(), values, "subject"));
    for (HeaderField header : c.headers()) {
      fields.add(field(header.name(), header.value(), values, header.field()));
    }
    Optional<String> text = c.text();
    Optional<String> html = c.html();
    if (values != null) {
      text = text.map(t -> values.fill(t, Place.TEXT));
      html = html.map(t -> values.fill(t, Place.HTML));
    }
    return composer.compose(new MessageComposer.Parts(fields, text, html, c.attachments()));
  }

  private static String addresses(
      String name, List<NamedAddress> addresses, @Nullable Placeholders values, String field) {
    List<NamedAddress> filled = new ArrayList<>();
    for (NamedAddress a : addresses) {
      filled.add(new NamedAddress(safe(a.name(), values, field), a.address()));
    }
    return HeaderText.addressField(name, filled);
  }

  private static String field(
      String name, String value, @Nullable Placeholders values, String field) {
    return HeaderText.field(name, safe(value, values, field));
  }

  private static String safe(String value, @Nullable Placeholders values, String field) {
    String filled = values == null ? value : values.fill(value, Place.TEXT);
    if (HeaderText.isSafe(filled)) return filled;
    throw InjectionProblem.of(field, "has a line break or another control character");
  }
}
