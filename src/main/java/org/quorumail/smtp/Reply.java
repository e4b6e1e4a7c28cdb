package org.quorumail.smtp;

import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;

/**
 * A reply, RFC 5321 §4.2, of one or more lines.
 *
 * @param status the enhanced status code of RFC 2034; the lines do not repeat it
 * @param lines the text of each line without code, separator, status and CRLF; at least one
 */
public record Reply(int code, Optional<EnhancedStatus> status, List<String> lines) {
  /** The limit on the lines of a reply that is read; an EHLO reply has some twenty. */
  public static final int MAX_LINES = 128;

  /** The limit on the octets of one reply line that is read; RFC 5321 §4.5.3.1.5 says 512. */
  public static final int MAX_LINE = 2048;

  public Reply {
    if (code < 200 || code > 599) throw new IllegalArgumentException("not a reply code: " + code);
    if (lines.isEmpty()) throw new IllegalArgumentException("a reply has at least one line");
    lines = List.copyOf(lines);
  }

  /** Makes a reply with an enhanced status code such as {@code "5.1.1"}. */
  public static Reply of(int code, String status, String text) {
    return new Reply(code, EnhancedStatus.leading(status), List.of(text));
  }

  /** Makes a reply without status: greeting, EHLO, and 3xx (RFC 2034 §3 has no 3.x.x). */
  public static Reply plain(int code, String... lines) {
    return new Reply(code, Optional.empty(), List.of(lines));
  }

  public boolean positive() {
    return code < 300;
  }

  public boolean intermediate() {
    return code >= 300 && code < 400;
  }

  public boolean transientFailure() {
    return code >= 400 && code < 500;
  }

  public boolean permanentFailure() {
    return code >= 500;
  }

  /** Joins all lines to one, for a log or a report. */
  public String text() {
    return String.join(" ", lines);
  }

  /** Encodes the reply, line ends included. Line breaks in the text cannot start a new line. */
  public byte[] toWire() {
    StringBuilder wire = new StringBuilder(64);
    for (int i = 0; i < lines.size(); i++) {
      wire.append(code).append(i == lines.size() - 1 ? ' ' : '-');
      if (status.isPresent()) wire.append(status.get()).append(' ');
      appendPrintable(wire, lines.get(i));
      wire.append("\r\n");
    }
    return wire.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Formats the reply for a log: {@code 250 2.0.0 Ok}. */
  @Override
  public String toString() {
    return code + status.map(s -> " " + s).orElse("") + " " + text();
  }

  /**
   * Reads one reply, bounded in line length and number of lines. A bare line feed ends a line here:
   * a reply cannot smuggle a message, and old servers send bare line feeds.
   *
   * @throws SmtpProtocolException when the input is not a reply or exceeds the bounds
   * @throws EOFException when the connection ends first
   */
  static Reply read(SmtpReader reader) throws IOException {
    List<String> lines = new ArrayList<>(1);
    EnhancedStatus status = null;
    int code = 0;
    while (true) {
      String line = replyLine(reader);
      int lineCode = codeOf(line);
      if (code != 0 && lineCode != code)
        throw new SmtpProtocolException("reply codes differ", line);
      code = lineCode;
      String text = line.length() > 4 ? line.substring(4) : "";
      EnhancedStatus leading = EnhancedStatus.leading(text).orElse(null);
      if (lines.isEmpty()) status = matchingStatus(leading, code);
      lines.add(leading != null && leading.equals(status) ? withoutStatus(text) : text);
      if (line.length() == 3 || line.charAt(3) == ' ') break;
      if (lines.size() == MAX_LINES)
        throw new SmtpProtocolException("a reply has too many lines", line);
    }
    return new Reply(code, Optional.ofNullable(status), lines);
  }

  private static String replyLine(SmtpReader reader) throws IOException {
    ReceivedLine line = reader.readLine(MAX_LINE);
    if (line instanceof ReceivedLine.Text clean) return clean.text();
    if (line instanceof ReceivedLine.BareLineFeed bare) return bare.text();
    if (line instanceof ReceivedLine.TooLong)
      throw new SmtpProtocolException("a reply line is too long", "");
    throw new EOFException("the connection ended before a reply");
  }

  private static int codeOf(String line) throws SmtpProtocolException {
    boolean separated =
        line.length() == 3 || (line.length() > 3 && " -".indexOf(line.charAt(3)) >= 0);
    if (!separated) throw new SmtpProtocolException("not an SMTP reply", line);
    int code = 0;
    for (int i = 0; i < 3; i++) {
      int digit = line.charAt(i) - '0';
      if (digit < 0 || digit > 9) throw new SmtpProtocolException("not an SMTP reply", line);
      code = code * 10 + digit;
    }
    if (code < 200 || code > 599) throw new SmtpProtocolException("not an SMTP reply", line);
    return code;
  }

  /** Returns the status, unless it contradicts the code (RFC 2034 §4) and so is only text. */
  private static @Nullable EnhancedStatus matchingStatus(
      @Nullable EnhancedStatus status, int code) {
    return status != null && status.statusClass() == code / 100 ? status : null;
  }

  private static String withoutStatus(String text) {
    int space = text.indexOf(' ');
    return space < 0 ? "" : text.substring(space + 1);
  }

  private static void appendPrintable(StringBuilder to, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      to.append(c < ' ' || c >= 0x7F ? '?' : c);
    }
  }
}
