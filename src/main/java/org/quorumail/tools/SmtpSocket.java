package org.quorumail.tools;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;

/**
 * One end of an SMTP connection that reads and writes lines, both buffered. Output is flushed just
 * before the next read blocks, so that pipelined commands and replies share packets. It shares no
 * code with the server: a fault there must not cancel itself out here.
 */
final class SmtpSocket implements Closeable {
  /** Eight times the longest reply line of RFC 5321 §4.5.3.1.5, for long greetings. */
  private static final int LINE_LIMIT = 4096;

  private static final int BUFFER = 16 * 1024;

  private final Socket socket;
  private final InputStream in;
  private final OutputStream out;
  private final byte[] input = new byte[BUFFER];
  private final byte[] output = new byte[BUFFER];
  private int from;
  private int to;
  private int pending;

  SmtpSocket(Socket socket) throws IOException {
    this.socket = socket;
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
    socket.setTcpNoDelay(true);
  }

  static SmtpSocket connect(InetSocketAddress to, Duration connectTimeout, Duration readTimeout)
      throws IOException {
    Socket socket = new Socket();
    try {
      socket.connect(to, (int) connectTimeout.toMillis());
      socket.setSoTimeout((int) readTimeout.toMillis());
      return new SmtpSocket(socket);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Reads the next line and returns it without its CRLF. */
  String readLine() throws IOException {
    int scanned = from;
    while (true) {
      for (int i = scanned; i < to; i++) {
        if (input[i] == '\n') {
          int end = i > from && input[i - 1] == '\r' ? i - 1 : i;
          String line = new String(input, from, end - from, StandardCharsets.ISO_8859_1);
          from = i + 1;
          return line;
        }
      }
      int seen = to - from;
      if (seen >= LINE_LIMIT) throw new IOException("a line is longer than " + LINE_LIMIT);
      fill();
      scanned = from + seen;
    }
  }

  /** Reads the next reply and returns its last line. */
  String readReply() throws IOException {
    while (true) {
      String line = readLine();
      if (line.length() < 3) throw new IOException("not an SMTP reply: " + line);
      boolean isLast = line.length() == 3 || line.charAt(3) != '-';
      if (isLast) return line;
    }
  }

  /** Sends a command and returns the last line of its reply. */
  String request(String command) throws IOException {
    writeLine(command);
    return readReply();
  }

  void writeLine(String line) throws IOException {
    write(line.getBytes(StandardCharsets.ISO_8859_1));
    write(CRLF);
  }

  private static final byte[] CRLF = {'\r', '\n'};

  void write(byte[] bytes) throws IOException {
    if (bytes.length > output.length - pending) flush();
    if (bytes.length > output.length) {
      out.write(bytes);
      return;
    }
    System.arraycopy(bytes, 0, output, pending, bytes.length);
    pending += bytes.length;
  }

  void flush() throws IOException {
    if (pending == 0) return;
    int length = pending;
    pending = 0;
    out.write(output, 0, length);
  }

  /** Reads message data up to the final dot, which it drops, and undoes dot-stuffing (§4.5.2). */
  void readData(MessageBuffer into) throws IOException {
    boolean lineStart = true;
    while (true) {
      if (from == to) fill();
      if (lineStart && input[from] == '.') {
        while (to - from < 3) fill();
        if (input[from + 1] == '\r' && input[from + 2] == '\n') {
          from += 3;
          return;
        }
        from++;
      }
      int end = endOfLine();
      into.append(input, from, end - from);
      from = end;
      lineStart = into.endsWithCrlf();
    }
  }

  private int endOfLine() {
    for (int i = from; i < to; i++) if (input[i] == '\n') return i + 1;
    return to;
  }

  /** Waits until there is input. */
  void awaitInput() throws IOException {
    if (from == to) fill();
  }

  /** Flushes the output, then reads at least one byte. */
  private void fill() throws IOException {
    flush();
    if (from > 0) {
      System.arraycopy(input, from, input, 0, to - from);
      to -= from;
      from = 0;
    }
    int n = in.read(input, to, input.length - to);
    if (n < 0) throw new EOFException("the connection was closed");
    to += n;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /** A buffer for the bytes of one message; it grows to its limit and is reused. */
  static final class MessageBuffer {
    private static final int INITIAL = 8 * 1024;
    private static final int KEPT = 1024 * 1024;

    private final int limit;
    private byte[] bytes = new byte[INITIAL];
    private int length;
    private boolean isTooLong;

    MessageBuffer(int limit) {
      this.limit = limit;
    }

    void clear() {
      length = 0;
      isTooLong = false;
      if (bytes.length > KEPT) bytes = new byte[INITIAL];
    }

    void append(byte[] source, int offset, int count) {
      if (count > limit - length) {
        isTooLong = true;
        length = 0;
      }
      if (length + count > bytes.length) {
        long doubled = Math.max(bytes.length * 2L, length + count);
        bytes = Arrays.copyOf(bytes, (int) Math.min(doubled, Integer.MAX_VALUE - 8));
      }
      System.arraycopy(source, offset, bytes, length, count);
      length += count;
    }

    boolean endsWithCrlf() {
      return length >= 2 && bytes[length - 1] == '\n' && bytes[length - 2] == '\r';
    }

    boolean isTooLong() {
      return isTooLong;
    }

    byte[] array() {
      return bytes;
    }

    int length() {
      return length;
    }

    byte[] copy() {
      return Arrays.copyOf(bytes, length);
    }
  }
}
