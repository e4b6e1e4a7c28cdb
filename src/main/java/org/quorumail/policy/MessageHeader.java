package org.quorumail.policy;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The header section of a message, RFC 5322 §2.2, as octets. Nothing is decoded. A line that is no
 * field begins the body, as other servers and many readers take it: no filter misses what follows.
 * Only a first line of a mailbox file, which begins with {@code From} and a blank, is kept.
 *
 * @param bodyAt offset of the body, after the empty line
 * @param hasEmptyLine whether an empty line ends the header
 */
public record MessageHeader(List<Field> fields, long bodyAt, boolean hasEmptyLine) {
  /** Longest header in octets. Sendmail refuses above 32 KiB, Postfix above 100 KB. */
  public static final int MAX_OCTETS = 1 << 20;

  public MessageHeader {
    fields = List.copyOf(fields);
  }

  /** The error of a header of more than {@link #MAX_OCTETS}. */
  public static final class TooLongException extends IOException {
    private static final long serialVersionUID = 1L;

    TooLongException() {
      super("the header is longer than " + MAX_OCTETS + " octets");
    }

    /** The error of a field that is longer than a filter can read. */
    public TooLongException(String field, int octets) {
      super("the field " + field + " has " + octets + " octets");
    }
  }

  /**
   * One header field with its folds.
   *
   * @param text all its octets as characters, the final CRLF included
   */
  public record Field(String text) {
    /** The text before the colon; empty when the line is no field. */
    public String name() {
      return text.substring(0, nameLength(text));
    }

    /** The text after the colon without the final CRLF, with folds and the leading blank. */
    public String value() {
      int colon = text.indexOf(':');
      int end = text.endsWith("\r\n") ? text.length() - 2 : text.length();
      return colon < 0 ? "" : text.substring(Math.min(colon + 1, end), end);
    }

    boolean isNamed(String other) {
      return name().equalsIgnoreCase(other);
    }

    byte[] octets() {
      return text.getBytes(StandardCharsets.ISO_8859_1);
    }
  }

  /**
   * Reads the header of a message.
   *
   * @throws TooLongException above {@link #MAX_OCTETS}
   */
  public static MessageHeader read(MessageContent content) throws IOException {
    List<Field> fields = new ArrayList<>();
    StringBuilder field = new StringBuilder();
    long at = 0;
    try (InputStream in = new BufferedInputStream(content.open())) {
      while (true) {
        String line = line(in);
        at += line.length();
        if (at > MAX_OCTETS) throw new TooLongException();
        boolean ends = line.isEmpty() || line.equals("\r\n");
        boolean folded = !field.isEmpty() && (line.startsWith(" ") || line.startsWith("\t"));
        if (!field.isEmpty() && !folded) {
          fields.add(new Field(field.toString()));
          field.setLength(0);
        }
        if (ends) return new MessageHeader(fields, at, !line.isEmpty());
        boolean mailboxLine = at == line.length() && line.matches("(?s)>?From .*");
        if (!folded && !mailboxLine && nameLength(line) == 0) {
          return new MessageHeader(fields, at - line.length(), false);
        }
        field.append(line);
      }
    }
  }

  /** The length of the name that a line of a field begins with, RFC 5322 §2.2; 0 without one. */
  private static int nameLength(String line) {
    int end = 0;
    while (end < line.length() && isNameCharacter(line.charAt(end))) end++;
    int colon = end;
    while (colon < line.length() && (line.charAt(colon) == ' ' || line.charAt(colon) == '\t')) {
      colon++; // RFC 5322 §4.5
    }
    return colon < line.length() && line.charAt(colon) == ':' ? end : 0;
  }

  private static boolean isNameCharacter(char c) {
    return c > ' ' && c < 0x7F && c != ':';
  }

  /** Reads a line with its line end; empty at the end of the content. */
  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(80);
    for (int b = in.read(); b >= 0; b = in.read()) {
      line.write(b);
      if (b == '\n') break;
      if (line.size() > MAX_OCTETS) throw new TooLongException();
    }
    return line.toString(StandardCharsets.ISO_8859_1);
  }
}
