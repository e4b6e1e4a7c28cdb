package org.quorumail.smtp.server;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * A scanner for the Message-ID of a header, RFC 5322 §3.6.4. It reads the header only, and of a
 * header without an end at most {@value #MAX_HEADER} octets. Used by one thread.
 */
final class MessageIdScanner {
  private static final int MAX_HEADER = 64 * 1024;
  private static final int MAX_LINE = 300;
  private static final String NAME = "message-id:";

  private final byte[] line = new byte[MAX_LINE];
  private int length; // of the current line; it may exceed what is kept
  private int read;
  private boolean ended;
  private boolean isFolded; // the field was found with an empty first line
  private String messageId = "";

  void accept(byte[] bytes, int offset, int count) {
    int end = offset + count;
    for (int at = offset; at < end && !ended; at++) {
      if (bytes[at] == '\n') endLine();
      else if (length++ < MAX_LINE) line[length - 1] = bytes[at];
      if (++read >= MAX_HEADER) ended = true;
    }
  }

  /** The Message-ID with its angle brackets, cut at {@value #MAX_LINE} octets. */
  Optional<String> messageId() {
    return messageId.isEmpty() ? Optional.empty() : Optional.of(messageId);
  }

  private void endLine() {
    int kept = Math.min(length, MAX_LINE);
    boolean hasCr = kept > 0 && line[kept - 1] == '\r';
    String text = new String(line, 0, hasCr ? kept - 1 : kept, StandardCharsets.UTF_8);
    length = 0;
    if (text.isEmpty()) {
      ended = true;
    } else if (isFolded && (text.startsWith(" ") || text.startsWith("\t"))) {
      found(text);
    } else if (text.regionMatches(true, 0, NAME, 0, NAME.length())) {
      found(text.substring(NAME.length()));
    }
  }

  /** The first field counts; its value may begin in the next line. */
  private void found(String value) {
    messageId = value.strip();
    isFolded = messageId.isEmpty();
    ended = !isFolded;
  }
}
