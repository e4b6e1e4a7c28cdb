package org.quorumail.inject;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.quorumail.inject.MessageDraft.DraftContent;
import org.quorumail.inject.MessageDraft.DraftRecipient;
import org.quorumail.inject.MessageDraft.HeaderField;
import org.quorumail.mail.ReversePath;
import org.quorumail.mime.HeaderText;
import org.quorumail.mime.HeaderText.NamedAddress;
import org.quorumail.mime.MessageComposer.Attachment;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** Reads the JSON document of a request. Each fault names its field. */
final class DraftReader {
  private static final int HEADERS_MAX = 100;
  private static final int HEADER_VALUE_MAX = 8 << 10;
  private static final int ATTACHMENTS_MAX = 100;
  private static final int DATA_MAX = 200;
  private static final int FILE_NAME_MAX = 255;

  private static final Set<String> FIELDS =
      Set.of(
          "envelope",
          "from",
          "to",
          "cc",
          "bcc",
          "reply_to",
          "subject",
          "text",
          "html",
          "headers",
          "attachments",
          "content",
          "data");

  /** The fields of a header that have a field of the request, or that this node makes. */
  private static final Set<String> OWN_HEADERS =
      Set.of(
          "from",
          "to",
          "cc",
          "bcc",
          "reply-to",
          "subject",
          "mime-version",
          "received",
          "return-path");

  private final JsonNode root;
  private final int maxRecipients;

  private DraftReader(JsonNode root, int maxRecipients) {
    this.root = root;
    this.maxRecipients = maxRecipients;
  }

  static MessageDraft read(JsonNode root, int maxRecipients) {
    if (!root.isObject()) throw InjectionProblem.of(422, "", "the document is no JSON object");
    return new DraftReader(root, maxRecipients).draft();
  }

  private MessageDraft draft() {
    requireKnown(root, "", FIELDS);
    JsonNode envelope = root.path("envelope");
    requireObject(envelope, "envelope");
    requireKnown(envelope, "envelope.", Set.of("from", "recipients"));
    List<DraftRecipient> to = recipients(root.path("to"), "to");
    List<DraftRecipient> cc = recipients(root.path("cc"), "cc");
    List<DraftRecipient> bcc = recipients(root.path("bcc"), "bcc");
    boolean hasEnvelope = envelope.has("recipients");
    List<DraftRecipient> all = new ArrayList<>(to);
    all.addAll(cc);
    all.addAll(bcc);
    if (hasEnvelope) all = recipients(envelope.path("recipients"), "envelope.recipients");
    String field = hasEnvelope ? "envelope.recipients" : "to";
    if (all.isEmpty()) throw InjectionProblem.of(field, "names no recipient");
    if (all.size() > maxRecipients) {
      throw InjectionProblem.of(field, "has more than " + maxRecipients + " recipients");
    }
    boolean personal = all.stream().anyMatch(r -> !r.data().isEmpty());
    List<NamedAddress> shown = personal && !hasEnvelope ? List.of() : named(to);
    DraftContent content = root.has("content") ? raw() : composed(shown, named(cc));
    return new MessageDraft(sender(envelope), all, data(root, ""), personal, content);
  }

  private ReversePath sender(JsonNode envelope) {
    if (envelope.has("from")) {
      return Addresses.reversePath(text(envelope, "from", "envelope."), "envelope.from");
    }
    if (!root.has("from")) throw InjectionProblem.of("from", "is missing");
    return Addresses.reversePath(namedAddress(root.path("from"), "from").address(), "from");
  }

  private DraftContent raw() {
    for (String other : List.of("subject", "text", "html", "headers", "attachments")) {
      if (root.has(other)) throw InjectionProblem.of(other, "cannot be given beside content");
    }
    JsonNode content = root.path("content");
    byte[] octets =
        content.isBinary()
            ? content.binaryValue()
            : text(root, "content", "").getBytes(StandardCharsets.UTF_8);
    if (octets.length == 0) throw InjectionProblem.of("content", "is empty");
    return new DraftContent.Raw(new String(octets, StandardCharsets.ISO_8859_1));
  }

  private DraftContent composed(List<NamedAddress> to, List<NamedAddress> cc) {
    Optional<String> text = optionalText("text");
    Optional<String> html = optionalText("html");
    if (text.isEmpty() && html.isEmpty()) {
      throw InjectionProblem.of("text", "is missing, and so are html and content");
    }
    if (!root.has("from")) throw InjectionProblem.of("from", "is missing");
    String subject = optionalText("subject").orElse("");
    if (subject.length() > HEADER_VALUE_MAX) throw tooLong("subject", HEADER_VALUE_MAX);
    return new DraftContent.Composed(
        namedAddress(root.path("from"), "from"),
        to,
        cc,
        named(recipients(root.path("reply_to"), "reply_to")),
        subject,
        headers(),
        text,
        html,
        attachments());
  }

  private List<HeaderField> headers() {
    JsonNode headers = root.path("headers");
    requireObject(headers, "headers");
    List<HeaderField> fields = new ArrayList<>();
    for (Map.Entry<String, JsonNode> header : headers.properties()) {
      String name = header.getKey();
      String field = "headers." + name;
      String lower = name.toLowerCase(Locale.ROOT);
      if (!HeaderText.isFieldName(name)) {
        throw InjectionProblem.of("headers", "has a name that no header field can have");
      }
      if (OWN_HEADERS.contains(lower) || lower.startsWith("content-")) {
        throw InjectionProblem.of(field, "is made by the node, or has a field of its own");
      }
      JsonNode value = header.getValue();
      List<JsonNode> values = value.isArray() ? elements(value) : List.of(value);
      for (JsonNode one : values) {
        if (!one.isString()) throw InjectionProblem.of(field, "is no text");
        if (one.stringValue().length() > HEADER_VALUE_MAX) throw tooLong(field, HEADER_VALUE_MAX);
        fields.add(new HeaderField(name, one.stringValue(), field));
      }
      if (fields.size() > HEADERS_MAX) {
        throw InjectionProblem.of("headers", "has more than " + HEADERS_MAX + " fields");
      }
    }
    return fields;
  }

  private List<Attachment> attachments() {
    JsonNode list = root.path("attachments");
    if (list.isMissingNode()) return List.of();
    if (!list.isArray()) throw InjectionProblem.of("attachments", "is no list");
    if (list.size() > ATTACHMENTS_MAX) {
      throw InjectionProblem.of("attachments", "has more than " + ATTACHMENTS_MAX + " files");
    }
    List<Attachment> all = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      all.add(attachment(list.get(i), "attachments[" + i + "]"));
    }
    return all;
  }

  private static Attachment attachment(JsonNode file, String field) {
    requireObject(file, field);
    String prefix = field + ".";
    requireKnown(file, prefix, Set.of("filename", "content_type", "content_id", "content"));
    String name = file.has("filename") ? text(file, "filename", prefix) : "";
    if (name.length() > FILE_NAME_MAX) throw tooLong(prefix + "filename", FILE_NAME_MAX);
    if (!HeaderText.isSafe(name)) {
      throw InjectionProblem.of(prefix + "filename", "has a control character");
    }
    String type =
        file.has("content_type") ? text(file, "content_type", prefix) : "application/octet-stream";
    boolean known = type.matches("[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}");
    String lower = type.toLowerCase(Locale.ROOT);
    // base64 is not allowed for these (RFC 2046 §5.1, §5.2.1)
    if (!known || lower.startsWith("multipart/") || lower.startsWith("message/")) {
      throw InjectionProblem.of(prefix + "content_type", "is no type of a file");
    }
    Optional<String> id =
        file.has("content_id") ? Optional.of(text(file, "content_id", prefix)) : Optional.empty();
    if (id.isPresent() && !id.get().matches("[A-Za-z0-9!#$%&'*+/=?^_.@-]{1,200}")) {
      throw InjectionProblem.of(prefix + "content_id", "is no id");
    }
    try {
      return new Attachment(name, type, id, file.path("content").binaryValue());
    } catch (JacksonException e) {
      throw InjectionProblem.of(prefix + "content", "is missing or not base64");
    }
  }

  private static List<NamedAddress> named(List<DraftRecipient> recipients) {
    return recipients.stream().map(DraftRecipient::named).toList();
  }

  /** One recipient or a list of them, each as text or as an object. */
  private static List<DraftRecipient> recipients(JsonNode node, String field) {
    if (node.isMissingNode()) return List.of();
    if (!node.isArray()) return List.of(recipient(node, field));
    List<DraftRecipient> all = new ArrayList<>();
    for (int i = 0; i < node.size(); i++) {
      all.add(recipient(node.get(i), field + "[" + i + "]"));
    }
    return all;
  }

  private static DraftRecipient recipient(JsonNode node, String field) {
    NamedAddress named = namedAddress(node, field);
    Map<String, String> data = node.isObject() ? data(node, field + ".") : Map.of();
    return new DraftRecipient(Addresses.mailbox(named.address(), field), named, data, field);
  }

  private static NamedAddress namedAddress(JsonNode node, String field) {
    if (node.isString()) return safe(Addresses.named(node.stringValue(), field), field);
    if (!node.isObject()) throw InjectionProblem.of(field, "is no address");
    String prefix = field + ".";
    requireKnown(node, prefix, Set.of("address", "name", "data"));
    String address = text(node, "address", prefix);
    String name = node.has("name") ? text(node, "name", prefix) : "";
    String canonical = Addresses.mailbox(address, prefix + "address").toString();
    return safe(new NamedAddress(name, canonical), prefix + "name");
  }

  private static NamedAddress safe(NamedAddress named, String field) {
    if (named.name().length() > FILE_NAME_MAX) throw tooLong(field, FILE_NAME_MAX);
    if (HeaderText.isSafe(named.name())) return named;
    throw InjectionProblem.of(field, "has a line break or another control character");
  }

  private static Map<String, String> data(JsonNode owner, String prefix) {
    JsonNode node = owner.path("data");
    if (node.isMissingNode()) return Map.of();
    requireObject(node, prefix + "data");
    if (node.size() > DATA_MAX) {
      throw InjectionProblem.of(prefix + "data", "has more than " + DATA_MAX + " values");
    }
    Map<String, String> data = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> value : node.properties()) {
      if (!value.getValue().isValueNode() || value.getValue().isNull()) {
        String field = prefix + "data." + value.getKey();
        throw InjectionProblem.of(field, "is neither text nor number nor true or false");
      }
      data.put(value.getKey(), value.getValue().asString());
    }
    return new HashMap<>(data);
  }

  private Optional<String> optionalText(String name) {
    return root.has(name) ? Optional.of(text(root, name, "")) : Optional.empty();
  }

  private static String text(JsonNode owner, String name, String prefix) {
    JsonNode value = owner.path(name);
    if (value.isMissingNode()) throw InjectionProblem.of(prefix + name, "is missing");
    if (!value.isString()) throw InjectionProblem.of(prefix + name, "is no text");
    return value.stringValue();
  }

  private static List<JsonNode> elements(JsonNode list) {
    List<JsonNode> all = new ArrayList<>();
    for (JsonNode element : list) all.add(element);
    return all;
  }

  private static void requireObject(JsonNode node, String field) {
    if (!node.isMissingNode() && !node.isObject()) {
      throw InjectionProblem.of(field, "is no object");
    }
  }

  private static void requireKnown(JsonNode node, String prefix, Set<String> known) {
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (known.contains(entry.getKey())) continue;
      throw InjectionProblem.of(prefix + printable(entry.getKey()), "is no field of a message");
    }
  }

  private static String printable(String name) {
    return name.length() > 60 ? name.substring(0, 60) + "…" : name;
  }

  private static InjectionProblem tooLong(String field, int most) {
    return InjectionProblem.of(field, "is longer than " + most + " characters");
  }
}
