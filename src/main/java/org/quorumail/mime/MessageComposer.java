package org.quorumail.mime;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Composes a message (RFC 5322, RFC 2045) of text, HTML and attachments. Its lines are short and
 * ASCII, but for addresses above ASCII.
 */
public final class MessageComposer {
  private static final int LINE = 76;
  private static final byte[] CRLF = {'\r', '\n'};

  private final Supplier<String> boundaries;

  /**
   * @param boundaries new ones, of 1 to 68 letters, digits and {@code =_}, that no content can have
   *     in it
   */
  public MessageComposer(Supplier<String> boundaries) {
    this.boundaries = boundaries;
  }

  /**
   * A file of a message.
   *
   * @param contentType type and subtype
   * @param contentId the id by which the HTML refers to it; such a file is shown inside the HTML
   */
  public record Attachment(
      String fileName, String contentType, Optional<String> contentId, byte[] content) {}

  /**
   * The parts of a message.
   *
   * @param fields whole header fields with their line ends
   */
  public record Parts(
      List<String> fields,
      Optional<String> text,
      Optional<String> html,
      List<Attachment> attachments) {
    public Parts {
      fields = List.copyOf(fields);
      attachments = List.copyOf(attachments);
    }
  }

  /** An entity: its content fields and its body. */
  private record Entity(String fields, byte[] body) {}

  /** Composes the message. */
  public byte[] compose(Parts parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String field : parts.fields()) write(out, field);
    write(out, "MIME-Version: 1.0\r\n");
    Entity entity = content(parts);
    write(out, entity.fields());
    out.writeBytes(CRLF);
    out.writeBytes(entity.body());
    return out.toByteArray();
  }

  private Entity content(Parts parts) {
    List<Attachment> shown = new ArrayList<>();
    List<Entity> files = new ArrayList<>();
    for (Attachment a : parts.attachments()) {
      if (a.contentId().isPresent() && parts.html().isPresent()) shown.add(a);
      else files.add(attachment(a, "attachment"));
    }
    Entity body = body(parts, shown);
    if (files.isEmpty()) return body;
    files.addFirst(body);
    return multipart("mixed", files);
  }

  private Entity body(Parts parts, List<Attachment> shown) {
    if (parts.html().isEmpty()) return text("plain", parts.text().orElse(""));
    Entity html = text("html", parts.html().get());
    if (!shown.isEmpty()) {
      List<Entity> related = new ArrayList<>(List.of(html));
      for (Attachment a : shown) related.add(attachment(a, "inline"));
      html = multipart("related", related);
    }
    if (parts.text().isEmpty()) return html;
    return multipart("alternative", List.of(text("plain", parts.text().get()), html));
  }

  private Entity multipart(String subtype, List<Entity> entities) {
    String boundary = boundaries.get();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Entity entity : entities) {
      write(out, "--" + boundary + "\r\n" + entity.fields() + "\r\n");
      out.writeBytes(entity.body());
      out.writeBytes(CRLF);
    }
    write(out, "--" + boundary + "--\r\n");
    String type = "Content-Type: multipart/" + subtype + ";\r\n boundary=\"" + boundary + "\"\r\n";
    return new Entity(type, out.toByteArray());
  }

  /** Text, with line ends of any kind; as it is when it is short lines of ASCII. */
  private static Entity text(String subtype, String text) {
    String lines = text.replace("\r\n", "\n").replace('\r', '\n');
    byte[] octets = lines.getBytes(StandardCharsets.UTF_8);
    boolean plain = isPlain(octets);
    ByteArrayOutputStream out = new ByteArrayOutputStream(octets.length + octets.length / 8);
    BodyEncoder encoder = plain ? new BodyEncoder.Plain(out) : new BodyEncoder.QuotedPrintable(out);
    int from = 0;
    for (int at = 0; at < octets.length; at++) {
      if (octets[at] != '\n') continue;
      encoder.text(octets, from, at - from);
      encoder.lineEnd();
      from = at + 1;
    }
    encoder.text(octets, from, octets.length - from);
    encoder.end(false);
    if (from < octets.length) out.writeBytes(CRLF);
    String fields =
        "Content-Type: text/%s; charset=%s\r\nContent-Transfer-Encoding: %s\r\n"
            .formatted(subtype, plain ? "us-ascii" : "utf-8", plain ? "7bit" : "quoted-printable");
    return new Entity(fields, out.toByteArray());
  }

  private static boolean isPlain(byte[] octets) {
    int column = 0;
    for (byte b : octets) {
      if (b == '\n') column = 0;
      else if (b < 0 || b == 0 || ++column > LINE) return false;
    }
    return true;
  }

  private static Entity attachment(Attachment a, String disposition) {
    StringBuilder fields = new StringBuilder("Content-Type: ").append(a.contentType());
    fields.append("\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: ");
    fields.append(disposition);
    if (!a.fileName().isEmpty()) fields.append(HeaderText.parameter("filename", a.fileName()));
    fields.append("\r\n");
    a.contentId().ifPresent(id -> fields.append("Content-ID: <").append(id).append(">\r\n"));
    ByteArrayOutputStream out = new ByteArrayOutputStream(a.content().length * 3 / 2);
    BodyEncoder encoder = new BodyEncoder.Base64(out);
    encoder.text(a.content(), 0, a.content().length);
    encoder.end(true);
    return new Entity(fields.toString(), out.toByteArray());
  }

  private static void write(ByteArrayOutputStream out, String text) {
    out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
  }
}
