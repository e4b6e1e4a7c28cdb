package org.quorumail.mime;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The header of a message or of a part of one: what it declares, and how to write it changed. */
final class EntityHeader {
  private static final String TYPE = "content-type";
  private static final String ENCODING = "content-transfer-encoding";
  private static final String VERSION = "mime-version";

  private final byte[] bytes;
  private final boolean blankLine;
  private final boolean ofMessage;
  private final List<Field> fields = new ArrayList<>();
  private final Optional<ContentType> type;
  private final String encoding;

  /** A field from its name to its line end, with the name in lower case. */
  private record Field(String name, int start, int end) {}

  /**
   * @param bytes whole fields
   * @param blankLine whether the blank line between header and body follows
   * @param ofMessage whether it is the header of a message, not of a part of a multipart
   * @param otherwise the type when the header has no Content-Type
   */
  EntityHeader(byte[] bytes, boolean blankLine, boolean ofMessage, ContentType otherwise) {
    this.bytes = bytes;
    this.blankLine = blankLine;
    this.ofMessage = ofMessage;
    split();
    List<String> types = values(TYPE);
    type =
        switch (types.size()) {
          case 0 -> Optional.of(otherwise);
          case 1 -> ContentType.parse(types.getFirst());
          default -> Optional.empty();
        };
    List<String> encodings = values(ENCODING);
    encoding =
        switch (encodings.size()) {
          case 0 -> "";
          case 1 -> ContentType.singleToken(encodings.getFirst());
          default -> "?";
        };
  }

  /** Returns whether a line begins a field, RFC 5322 §2.2; blanks before the colon are allowed. */
  static boolean isField(byte[] line, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      byte c = line[i];
      if (c == ':') return i > offset;
      boolean blankBeforeColon = i > offset && (c == ' ' || c == '\t');
      if ((c <= ' ' || c == 0x7F) && !blankBeforeColon) return false;
    }
    return false;
  }

  byte[] bytes() {
    return bytes;
  }

  boolean blankLine() {
    return blankLine;
  }

  /** The boundary of the parts, where the body has parts that may be changed. */
  Optional<String> multipartBoundary() {
    return type.filter(t -> isUnencoded() && t.type().equals("multipart"))
        .filter(t -> !t.subtype().equals("signed")) // RFC 1847 §2.1: none of its octets may change
        .map(ContentType::boundary)
        .filter(boundary -> !boundary.isEmpty());
  }

  /** Returns whether the parts are messages unless they declare another type, RFC 2046 §5.1.5. */
  boolean isDigest() {
    return type.filter(t -> t.is("multipart", "digest")).isPresent();
  }

  /** Returns whether the body is a message that may be changed, RFC 2046 §5.2.1. */
  boolean isMessage() {
    return isUnencoded() && type.filter(t -> t.is("message", "rfc822")).isPresent();
  }

  /**
   * Returns whether the body may be encoded: it is not encoded yet, and its type allows an encoding
   * (RFC 2045 §6.4, RFC 2046 §5.2; RFC 6532 §3.5 allows it for message/global).
   */
  boolean isEncodable() {
    if (!isUnencoded() || type.isEmpty()) return false;
    ContentType known = type.get();
    return switch (known.type()) {
      case "multipart" -> false;
      case "message" -> known.subtype().startsWith("global");
      default -> true;
    };
  }

  boolean isText() {
    return type.filter(t -> t.type().equals("text")).isPresent();
  }

  /** The kind of data that the header declares for a body that is not encoded. */
  DataKind declaredKind() {
    if (encoding.equals(DataKind.EIGHT_BIT.label())) return DataKind.EIGHT_BIT;
    return encoding.equals(DataKind.BINARY.label()) ? DataKind.BINARY : DataKind.SEVEN_BIT;
  }

  /** The type in words, for an error text. */
  String typeName() {
    return type.map(t -> t.type() + "/" + t.subtype()).orElse("a malformed Content-Type");
  }

  /** Writes the header unchanged. */
  void write(ByteArrayOutputStream out) {
    out.writeBytes(bytes);
    if (blankLine) line(out, "");
  }

  /**
   * Writes the header with another Content-Transfer-Encoding, in the place of the present one.
   *
   * @param encoded whether the body is encoded now, which makes the message MIME in any case
   */
  void write(ByteArrayOutputStream out, String label, boolean encoded) {
    String changed = "Content-Transfer-Encoding: " + label;
    for (Field field : fields) {
      if (field.name.equals(ENCODING)) line(out, changed);
      else out.write(bytes, field.start, field.end - field.start);
    }
    if (encoded) {
      if (ofMessage && values(VERSION).isEmpty()) {
        line(out, "MIME-Version: 1.0");
        // RFC 1428 §3: the charset is unknown
        if (values(TYPE).isEmpty()) line(out, "Content-Type: text/plain; charset=unknown-8bit");
      }
      if (values(ENCODING).isEmpty()) line(out, changed);
    }
    if (blankLine || encoded) line(out, "");
  }

  private boolean isUnencoded() {
    if (encoding.isEmpty()) return true;
    for (DataKind kind : DataKind.values()) if (kind.label().equals(encoding)) return true;
    return false;
  }

  private void split() {
    int start = 0;
    for (int end = lineEnd(0); start < bytes.length; end = lineEnd(end)) {
      boolean goesOn = end < bytes.length && (bytes[end] == ' ' || bytes[end] == '\t');
      if (goesOn) continue;
      fields.add(new Field(name(start, end), start, end));
      start = end;
    }
  }

  private int lineEnd(int from) {
    for (int i = from; i + 1 < bytes.length; i++) {
      if (bytes[i] == '\r' && bytes[i + 1] == '\n') return i + 2;
    }
    return bytes.length;
  }

  private String name(int start, int end) {
    String text = new String(bytes, start, end - start, StandardCharsets.ISO_8859_1);
    int colon = text.indexOf(':');
    return colon < 0 ? "" : text.substring(0, colon).strip().toLowerCase(Locale.ROOT);
  }

  private List<String> values(String name) {
    List<String> values = new ArrayList<>();
    for (Field field : fields) {
      if (!field.name.equals(name)) continue;
      String text =
          new String(bytes, field.start, field.end - field.start, StandardCharsets.ISO_8859_1);
      values.add(text.substring(text.indexOf(':') + 1));
    }
    return values;
  }

  private static void line(ByteArrayOutputStream out, String text) {
    out.writeBytes((text + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
  }
}
