package org.quorumail.metrics;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.quorumail.metrics.LogConfig.Format;

/**
 * The encoder of log lines: each event is one line, whatever its text. Control characters and line
 * separators are escaped, so that a peer cannot forge a line or control a terminal.
 */
final class LogLineEncoder extends EncoderBase<ILoggingEvent> {
  /** The bound of a text; messages of this program are never that long. */
  private static final int MAX_TEXT = 16 << 10;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  private final Format format;

  LogLineEncoder(Format format) {
    this.format = format;
  }

  @Override
  public byte[] headerBytes() {
    return new byte[0];
  }

  @Override
  public byte[] footerBytes() {
    return new byte[0];
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    StringBuilder line = new StringBuilder(160);
    if (format == Format.JSON) json(event, line);
    else text(event, line);
    return line.append('\n').toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void text(ILoggingEvent event, StringBuilder line) {
    line.append(time(event)).append(' ').append(event.getLevel()).append(' ');
    line.append(shortName(event.getLoggerName())).append(' ');
    escape(event.getFormattedMessage(), line, false);
    IThrowableProxy thrown = event.getThrowableProxy();
    if (thrown == null) return;
    line.append(" exception=\"");
    escape(ThrowableProxyUtil.asString(thrown), line, true);
    line.append('"');
  }

  private static void json(ILoggingEvent event, StringBuilder line) {
    line.append("{\"time\":\"").append(time(event));
    line.append("\",\"level\":\"").append(event.getLevel());
    line.append("\",\"logger\":\"");
    escape(event.getLoggerName(), line, true);
    line.append("\",\"thread\":\"");
    escape(event.getThreadName(), line, true);
    line.append("\",\"message\":\"");
    escape(event.getFormattedMessage(), line, true);
    IThrowableProxy thrown = event.getThrowableProxy();
    if (thrown != null) {
      line.append("\",\"exception\":\"");
      escape(ThrowableProxyUtil.asString(thrown), line, true);
    }
    line.append("\"}");
  }

  private static String time(ILoggingEvent event) {
    return TIME.format(Instant.ofEpochMilli(event.getTimeStamp()));
  }

  private static String shortName(String logger) {
    return logger.substring(logger.lastIndexOf('.') + 1);
  }

  /**
   * @param quoted inside quotation marks, where these and the backslash are escaped too
   */
  private static void escape(String text, StringBuilder line, boolean quoted) {
    int end = Math.min(text.length(), MAX_TEXT);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (c == '\n') line.append("\\n");
      else if (c == '\r') line.append("\\r");
      else if (c == '\t') line.append("\\t");
      else if (quoted && (c == '"' || c == '\\')) line.append('\\').append(c);
      else if (needsEscape(c)) line.append(String.format("\\u%04x", (int) c));
      else line.append(c);
    }
    if (end < text.length()) line.append("...");
  }

  /**
   * Recognizes controls, line and paragraph separators, and changes of the direction of writing.
   */
  private static boolean needsEscape(char c) {
    int type = Character.getType(c);
    return Character.isISOControl(c)
        || type == Character.FORMAT
        || type == Character.LINE_SEPARATOR
        || type == Character.PARAGRAPH_SEPARATOR;
  }
}
