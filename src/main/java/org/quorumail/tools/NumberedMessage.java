package org.quorumail.tools;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * A test message that can be identified and verified. It carries the token of its attempt in a
 * header, in its Message-ID and in its body, and the SHA-256 of the body in another header. The
 * bytes are built once and stamped in place, because the load generator shares its processors with
 * the server that it measures. One thread only.
 */
final class NumberedMessage {
  static final String TOKEN_HEADER = "X-Quorumail-Chaos";
  static final String HASH_HEADER = "X-Quorumail-Sha256";

  private static final byte[] TOKEN_LINE = ascii("\r\n" + TOKEN_HEADER + ": ");
  private static final byte[] HASH_LINE = ascii("\r\n" + HASH_HEADER + ": ");
  private static final byte[] END_OF_HEADER = ascii("\r\n\r\n");
  private static final int TOKEN_LENGTH = 15; // nine digits, a slash, five digits
  private static final int HASH_LENGTH = 64;
  private static final int LINE_LENGTH = 78; // the longest that RFC 5322 §2.1.1 recommends

  private final byte[] bytes;
  private final int[] tokens;
  private final int hash;
  private final int body;
  private final MessageDigest sha256 = sha256();

  /** Builds a message of about the given size, header included. */
  NumberedMessage(int size, String from, String to) {
    String blank = "0".repeat(TOKEN_LENGTH);
    String header =
        "From: <%s>\r\nTo: <%s>\r\nSubject: message of the load generator\r\n".formatted(from, to)
            + "Message-ID: <%s@quorumail.test>\r\n".formatted(blank)
            + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii"
            + "\r\n%s: %s\r\n%s: %s".formatted(TOKEN_HEADER, blank, HASH_HEADER, "0".repeat(64));
    StringBuilder text = new StringBuilder(header).append("\r\n\r\n");
    this.body = text.length();
    text.append(blank).append("\r\n");
    for (int line = 0; text.length() < size; line++) {
      int width = Math.clamp(size - text.length() - 2L, 1, LINE_LENGTH);
      String start = "line " + line + " ";
      text.append((start + "x".repeat(LINE_LENGTH)), 0, width).append("\r\n");
    }
    this.bytes = ascii(text + ".\r\n");
    this.tokens =
        new int[] {
          header.indexOf("Message-ID: <") + "Message-ID: <".length(),
          indexOf(bytes, TOKEN_LINE, 0, bytes.length) + TOKEN_LINE.length,
          body
        };
    this.hash = indexOf(bytes, HASH_LINE, 0, bytes.length) + HASH_LINE.length;
  }

  static String token(int number, int attempt) {
    return "%09d/%05d".formatted(number, attempt);
  }

  /** The number within a token. */
  static int number(String token) {
    return Integer.parseInt(token, 0, 9, 10);
  }

  /** The message as it is sent, final dot included; valid until the next stamp. */
  byte[] stamp(int number, int attempt) {
    byte[] digits = new byte[TOKEN_LENGTH];
    writeDecimal(number, digits, 0, 9);
    digits[9] = '/';
    writeDecimal(attempt, digits, 10, 5);
    for (int at : tokens) System.arraycopy(digits, 0, bytes, at, TOKEN_LENGTH);
    sha256.update(bytes, body, bytes.length - 3 - body);
    byte[] hex = ascii(HexFormat.of().formatHex(sha256.digest()));
    System.arraycopy(hex, 0, bytes, hash, HASH_LENGTH);
    return bytes;
  }

  /** The content without the final dot, which must arrive unchanged below the trace headers. */
  byte[] content() {
    return Arrays.copyOf(bytes, bytes.length - 3);
  }

  /** The token of a received message, and whether its body matches its hash. */
  record Inspection(String token, boolean intact) {}

  /** Reads token and hash of a received message; empty for messages of other senders. */
  static Optional<Inspection> inspect(byte[] message, int length) {
    int end = indexOf(message, END_OF_HEADER, 0, length);
    if (end < 0) return Optional.empty();
    int token = indexOf(message, TOKEN_LINE, 0, end);
    if (token < 0) return Optional.empty();
    int tokenAt = token + TOKEN_LINE.length;
    if (tokenAt + TOKEN_LENGTH > end) return Optional.empty();
    int bodyAt = end + END_OF_HEADER.length;
    MessageDigest digest = sha256();
    digest.update(message, bodyAt, length - bodyAt);
    byte[] actual = ascii(HexFormat.of().formatHex(digest.digest()));
    int hash = indexOf(message, HASH_LINE, 0, end) + HASH_LINE.length;
    boolean intact =
        hash >= HASH_LINE.length
            && hash + HASH_LENGTH <= end
            && Arrays.equals(actual, 0, HASH_LENGTH, message, hash, hash + HASH_LENGTH);
    return Optional.of(new Inspection(text(message, tokenAt, TOKEN_LENGTH), intact));
  }

  /** The token in the header that a DSN returns. */
  static Optional<String> quotedToken(byte[] message, int length) {
    int at = indexOf(message, TOKEN_LINE, 0, length);
    int token = at + TOKEN_LINE.length;
    if (at < 0 || token + TOKEN_LENGTH > length) return Optional.empty();
    return Optional.of(text(message, token, TOKEN_LENGTH));
  }

  private static int indexOf(byte[] text, byte[] wanted, int from, int to) {
    for (int i = from; i <= to - wanted.length; i++) {
      if (text[i] != wanted[0]) continue;
      if (Arrays.equals(text, i, i + wanted.length, wanted, 0, wanted.length)) return i;
    }
    return -1;
  }

  private static void writeDecimal(int value, byte[] into, int at, int width) {
    int rest = value;
    for (int i = at + width - 1; i >= at; i--) {
      into[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }

  private static String text(byte[] bytes, int at, int length) {
    return new String(bytes, at, length, StandardCharsets.ISO_8859_1);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
