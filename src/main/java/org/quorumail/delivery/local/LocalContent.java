package org.quorumail.delivery.local;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * The content as a mailbox keeps it: the fields Return-Path and Delivered-To in front (RFC 5321
 * §4.4), and line ends of one LF. Used once, by one thread.
 */
final class LocalContent implements AutoCloseable {
  private static final int HEADER_MAX = 256 * 1024; // a field after that many octets is not read
  private static final int BUFFER_SIZE = 16 * 1024;
  private static final byte[] FROM = {'F', 'r', 'o', 'm', ' '};
  private static final String DELIVERED_TO = "delivered-to:";

  /** This node cannot read the content: a fault here, and none of the mailbox. */
  static final class ContentException extends IOException {
    private static final long serialVersionUID = 1L;

    ContentException(IOException cause) {
      super(String.valueOf(cause.getMessage()), cause);
    }
  }

  private final LocalMessage message;
  private final InputStream in;
  private final byte[] start;

  private LocalContent(LocalMessage message, InputStream in, byte[] start) {
    this.message = message;
    this.in = in;
    this.start = start;
  }

  static LocalContent open(LocalMessage message) throws ContentException {
    InputStream in = message.content().get();
    try {
      return new LocalContent(message, in, in.readNBytes(HEADER_MAX));
    } catch (IOException e) {
      try {
        in.close();
      } catch (IOException also) {
        e.addSuppressed(also);
      }
      throw new ContentException(e);
    }
  }

  /** Returns whether the message was delivered to this address before: it is in a loop. */
  boolean loops() {
    String text = new String(start, StandardCharsets.UTF_8);
    int end = text.indexOf("\r\n\r\n");
    String header = end < 0 ? text : text.substring(0, end);
    String address = message.recipient().toString().toLowerCase(Locale.ROOT);
    for (String line : header.split("\r\n")) {
      String lower = line.toLowerCase(Locale.ROOT);
      if (lower.startsWith(DELIVERED_TO)
          && lower.substring(DELIVERED_TO.length()).strip().equals(address)) return true;
    }
    return false;
  }

  /**
   * Writes the content.
   *
   * @param quoteFrom whether a line that begins an entry of an mbox gets a quote
   * @throws ContentException when the content cannot be read
   */
  void writeTo(OutputStream out, boolean quoteFrom) throws IOException {
    BufferedOutputStream buffered = new BufferedOutputStream(out, BUFFER_SIZE);
    String fields =
        "Return-Path: <%s>\nDelivered-To: %s\n"
            .formatted(oneLine(message.reversePath()), oneLine(message.recipient()));
    buffered.write(fields.getBytes(StandardCharsets.UTF_8));
    LineEnds lines = new LineEnds(buffered, quoteFrom);
    lines.write(start, start.length);
    byte[] piece = new byte[BUFFER_SIZE];
    for (int count = read(piece); count >= 0; count = read(piece)) lines.write(piece, count);
    lines.end();
    buffered.flush();
  }

  static String oneLine(Object address) {
    return address.toString().replaceAll("\\p{Cntrl}", "?");
  }

  private int read(byte[] piece) throws ContentException {
    try {
      return in.read(piece, 0, piece.length);
    } catch (IOException e) {
      throw new ContentException(e);
    }
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException e) {
      // what was to be read has been read
    }
  }

  /** The line ends and, for an mbox, the quotes. A line "From " or ">From " gets one more ">". */
  private static final class LineEnds {
    private final OutputStream out;
    private final boolean quoteFrom;
    private boolean carriageReturn; // withheld
    private int matched; // withheld octets of FROM; -1 where the line cannot begin with it
    private boolean lineStart = true;

    LineEnds(OutputStream out, boolean quoteFrom) {
      this.out = out;
      this.quoteFrom = quoteFrom;
      this.matched = quoteFrom ? 0 : -1;
    }

    void write(byte[] bytes, int length) throws IOException {
      for (int i = 0; i < length; i++) {
        byte b = bytes[i];
        if (carriageReturn && b != '\n') put((byte) '\r');
        carriageReturn = b == '\r';
        if (!carriageReturn) put(b);
      }
    }

    private void put(byte b) throws IOException {
      if (matched >= 0 && b == FROM[matched]) {
        if (++matched < FROM.length) return;
        out.write('>');
        release();
        lineStart = false;
        return;
      }
      boolean quotes = b == '>' && matched == 0;
      release();
      out.write(b);
      lineStart = b == '\n';
      if (quoteFrom && (quotes || lineStart)) matched = 0;
    }

    private void release() throws IOException {
      if (matched > 0) out.write(FROM, 0, matched);
      matched = -1;
    }

    void end() throws IOException {
      if (carriageReturn) put((byte) '\r');
      boolean partial = matched > 0;
      release();
      if (partial || !lineStart) out.write('\n');
    }
  }
}
