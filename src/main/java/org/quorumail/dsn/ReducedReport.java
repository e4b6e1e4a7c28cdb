package org.quorumail.dsn;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The smallest form of a report of this node: its explanation and its machine-readable part, in
 * ASCII, without the message that it is about. Any host takes it, whatever it refuses in content.
 */
final class ReducedReport {
  private static final int EXPLANATION = 1;
  private static final int STATUS = 2;
  private static final int PARTS = 4; // the text before the first boundary, and three parts

  private ReducedReport() {}

  /**
   * Reduces a report.
   *
   * @param report the stored report, as {@link DsnComposer} wrote it
   * @param oldMessageId its Message-ID
   * @param messageId the Message-ID of the new one
   * @return the new report; empty when the old one is not of this node, or is reduced already
   */
  static Optional<byte[]> of(byte[] report, String oldMessageId, String messageId) {
    String text = new String(report, StandardCharsets.UTF_8);
    int end = text.indexOf("\r\n\r\n");
    String header = end < 0 ? "" : text.substring(0, end + 2);
    String boundary = boundary(header);
    if (boundary == null || !header.contains("\r\nMessage-ID: " + oldMessageId + "\r\n")) {
      return Optional.empty();
    }
    String[] parts = text.substring(end).split("\r\n--" + java.util.regex.Pattern.quote(boundary));
    if (parts.length <= PARTS) return Optional.empty(); // the closing boundary counts too
    String reduced =
        header.replace(oldMessageId, messageId)
            + parts[0]
            + delimiter(boundary)
            + parts[EXPLANATION]
            + delimiter(boundary)
            + parts[STATUS]
            + delimiter(boundary)
            + "--\r\n";
    return Optional.of(
        ascii(reduced)
            .replace("Content-Transfer-Encoding: 8bit\r\n", "Content-Transfer-Encoding: 7bit\r\n")
            .replace("text/plain; charset=utf-8\r\n", "text/plain; charset=us-ascii\r\n")
            .replace("message/global-delivery-status\r\n", "message/delivery-status\r\n")
            .getBytes(StandardCharsets.US_ASCII));
  }

  private static String delimiter(String boundary) {
    return "\r\n--" + boundary;
  }

  private static @Nullable String boundary(String header) {
    String before = "\r\n boundary=\"";
    int start = header.indexOf(before);
    if (start < 0) return null;
    int from = start + before.length();
    int to = header.indexOf('"', from);
    return to < 0 ? null : header.substring(from, to);
  }

  /** RFC 6533 §3: the form of an address with UTF-8 that fits into 7 bits. */
  private static String ascii(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              if (c <= 0x7F) out.append((char) c);
              else out.append("\\x{").append(Integer.toHexString(c)).append('}');
            });
    return out.toString();
  }
}
