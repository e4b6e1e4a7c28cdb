package org.quorumail.smtp;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The writer of replies, commands and message content, buffered until {@link #flush}. Content is
 * always sent with dots stuffed and CRLF line ends (RFC 5321 §4.5.2, §2.3.8).
 */
public final class SmtpWriter {
  private static final int SMALL = 512; // some replies
  private static final int LARGE = 16 * 1024; // a TLS record

  private final OutputStream out;
  private byte[] buffer = new byte[SMALL];
  private int length;
  private boolean lineStart = true;
  private boolean carriageReturn;

  public SmtpWriter(OutputStream out) {
    this.out = out;
  }

  public void reply(Reply reply) throws IOException {
    byte[] wire = reply.toWire();
    raw(wire, 0, wire.length);
  }

  /** Writes one command line; the CRLF is added. A line break in it is a programming error. */
  public void command(String command) throws IOException {
    if (command.indexOf('\r') >= 0 || command.indexOf('\n') >= 0) {
      throw new IllegalArgumentException("a command has no line breaks");
    }
    byte[] wire = (command + "\r\n").getBytes(StandardCharsets.UTF_8); // RFC 6531 §3.3
    raw(wire, 0, wire.length);
  }

  /** Writes a piece of content; {@link #endContent} must follow the last one. */
  public void content(byte[] bytes, int offset, int count) throws IOException {
    grow();
    int end = offset + count;
    int i = offset;
    while (i < end) {
      int run = ordinaryRun(bytes, i, end);
      raw(bytes, i, run - i);
      if (run > i) lineStart = false;
      i = run;
      if (i < end) special(bytes[i++]);
    }
  }

  /** Writes all of a stream as content, through one reused buffer. */
  public void content(InputStream content) throws IOException {
    byte[] piece = new byte[LARGE];
    int read = content.read(piece, 0, piece.length);
    while (read > 0) {
      content(piece, 0, read);
      read = content.read(piece, 0, piece.length);
    }
  }

  /** Writes octets of a chunk (RFC 3030 §2) unchanged. */
  public void chunk(byte[] bytes, int count) throws IOException {
    raw(bytes, 0, count);
  }

  /** Ends content: adds a missing line end and the final dot. Does not flush. */
  public void endContent() throws IOException {
    if (carriageReturn) put('\n');
    else if (!lineStart) crlf();
    put('.');
    crlf();
    carriageReturn = false;
    lineStart = true;
  }

  boolean hasUnflushedOutput() {
    return length > 0;
  }

  public void flush() throws IOException {
    if (length == 0) return;
    out.write(buffer, 0, length);
    length = 0;
    out.flush();
    if (lineStart && buffer.length > SMALL) buffer = new byte[SMALL];
  }

  /** Finds the end of a run without line ends and without a dot at the start of a line. */
  private int ordinaryRun(byte[] bytes, int from, int end) {
    if (carriageReturn || (lineStart && bytes[from] == '.')) return from;
    int i = from;
    while (i < end && bytes[i] != '\r' && bytes[i] != '\n') i++;
    return i;
  }

  private void special(byte b) throws IOException {
    if (carriageReturn && b != '\n') { // a bare CR becomes a line end
      put('\n');
      lineStart = true;
      carriageReturn = false;
    }
    switch (b) {
      case '\r' -> {
        put('\r');
        carriageReturn = true;
        lineStart = false;
      }
      case '\n' -> {
        if (!carriageReturn) put('\r');
        put('\n');
        carriageReturn = false;
        lineStart = true;
      }
      case '.' -> {
        if (lineStart) put('.');
        put('.');
        lineStart = false;
      }
      default -> {
        put(b);
        lineStart = false;
      }
    }
  }

  private void crlf() throws IOException {
    put('\r');
    put('\n');
  }

  private void put(int b) throws IOException {
    if (length == buffer.length) drain();
    buffer[length++] = (byte) b;
  }

  private void raw(byte[] bytes, int offset, int count) throws IOException {
    if (count > buffer.length - length) {
      drain();
      if (count >= buffer.length) {
        out.write(bytes, offset, count);
        return;
      }
    }
    System.arraycopy(bytes, offset, buffer, length, count);
    length += count;
  }

  /** Writes the buffer to the stream without flushing the stream. */
  private void drain() throws IOException {
    out.write(buffer, 0, length);
    length = 0;
  }

  private void grow() {
    if (buffer.length < LARGE) buffer = Arrays.copyOf(buffer, LARGE);
  }
}
