package org.quorumail.dsn;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The part of a message that a report about it returns: all of a small one, else its header.
 *
 * @param complete whether it is the complete message
 */
record ReturnedContent(byte[] bytes, boolean complete) {
  /** A larger message is not returned: its sender has it, and reports multiply traffic. */
  private static final int MAX_COMPLETE = 50 * 1024;

  private static final int MAX_HEADER = 32 * 1024;
  private static final int MAX_FIELDS = 1000; // that are searched
  private static final int MAX_VALUE = 200; // characters of a field in an explanation

  static ReturnedContent read(InputStream content, long size) throws IOException {
    if (size <= MAX_COMPLETE) return new ReturnedContent(content.readNBytes(MAX_COMPLETE), true);
    return header(content);
  }

  static ReturnedContent header(InputStream content) throws IOException {
    return new ReturnedContent(header(content.readNBytes(MAX_HEADER)), false);
  }

  /** The fields by which a sender recognises his message, and nothing else that he has written. */
  static ReturnedContent identity(InputStream content) throws IOException {
    ReturnedContent header = header(content);
    StringBuilder fields = new StringBuilder();
    for (String name : List.of("Date", "Message-ID")) {
      header
          .field(name)
          .filter(value -> value.chars().allMatch(c -> c >= ' ' && c < 0x7F))
          .ifPresent(value -> fields.append(name).append(": ").append(value).append("\r\n"));
    }
    return new ReturnedContent(fields.toString().getBytes(StandardCharsets.US_ASCII), false);
  }

  /** The media type of the part: RFC 3462 §2, with UTF-8 in it RFC 6533 §5. */
  String mediaType(boolean utf8) {
    if (complete) return utf8 ? "message/global" : "message/rfc822";
    return utf8 ? "message/global-headers" : "text/rfc822-headers";
  }

  boolean eightBit() {
    for (byte b : bytes) if (b < 0) return true;
    return false;
  }

  /**
   * The complete lines up to the empty one, or up to the first that is no field: that begins the
   * body, as it does for filters.
   */
  private static byte[] header(byte[] start) {
    int end = 0;
    for (int i = 0; i + 1 < start.length; i++) {
      if (start[i] != '\r' || start[i + 1] != '\n') continue;
      if (!isHeaderLine(start, end, i)) break;
      end = i + 2;
    }
    return Arrays.copyOf(start, end);
  }

  /** Returns whether a line begins a field or goes on with one, RFC 5322 §2.2. */
  private static boolean isHeaderLine(byte[] bytes, int from, int to) {
    if (from < to && isBlank(bytes[from])) return from > 0;
    int end = from;
    while (end < to && bytes[end] > ' ' && bytes[end] < 0x7F && bytes[end] != ':') end++;
    if (end == from) return false; // the empty line too
    while (end < to && isBlank(bytes[end])) end++; // RFC 5322 §4.5
    return end < to && bytes[end] == ':';
  }

  private static boolean isBlank(byte b) {
    return b == ' ' || b == '\t';
  }

  /** The first field of the header with this name, unfolded; empty without one. */
  Optional<String> field(String name) {
    String text = new String(header(bytes), StandardCharsets.ISO_8859_1);
    String unfolded = text.replaceAll("\r\n[ \t]+", " ");
    for (String line : unfolded.split("\r\n", MAX_FIELDS)) {
      if (!line.regionMatches(true, 0, name + ":", 0, name.length() + 1)) continue;
      String value = line.substring(name.length() + 1).strip();
      if (value.isEmpty()) return Optional.empty();
      return Optional.of(value.substring(0, Math.min(value.length(), MAX_VALUE)));
    }
    return Optional.empty();
  }

  void writeTo(ByteArrayOutputStream out) {
    out.writeBytes(bytes);
    boolean ended =
        bytes.length >= 2 && bytes[bytes.length - 2] == '\r' && bytes[bytes.length - 1] == '\n';
    if (!ended) {
      out.write('\r');
      out.write('\n');
    }
  }
}
