package org.quorumail.smtp;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The reader of lines and message content from a connection. Its buffer is large only while content
 * arrives, so that an idle connection needs little memory.
 *
 * <p>Before every read that may block, {@code beforeWaiting} runs: it flushes the output, which
 * groups the replies to pipelined commands (RFC 2920 §3.2).
 */
public final class SmtpReader {
  private static final int SMALL = 1024; // a few pipelined commands
  private static final int LARGE = 16 * 1024; // a TLS record; more saves no system calls there

  private final InputStream in;
  private final Flush beforeWaiting;
  private byte[] buffer = new byte[SMALL];
  private int position;
  private int end;

  public SmtpReader(InputStream in, Flush beforeWaiting) {
    this.in = in;
    this.beforeWaiting = beforeWaiting;
  }

  /** Octets that have arrived and are not consumed: pipelined commands. */
  public int buffered() {
    return end - position;
  }

  /** Reads one line of at most {@code limit} octets, CRLF included (RFC 5321 §4.5.3.1.4). */
  public ReceivedLine readLine(int limit) throws IOException {
    int searched = position;
    while (true) {
      int lineFeed = indexOfLineFeed(searched);
      if (lineFeed >= 0) return line(lineFeed, limit);
      if (buffered() >= limit) return skipLine();
      searched = end;
      int before = position;
      if (!fill(Math.max(SMALL, limit))) return new ReceivedLine.End();
      searched -= before - position;
    }
  }

  /** Reads one reply of a server. */
  public Reply readReply() throws IOException {
    return Reply.read(this);
  }

  /**
   * Reads content up to CRLF.CRLF and no other end (RFC 5321 §4.1.1.4; other ends allow SMTP
   * smuggling), removes stuffed dots (§4.5.2) and passes the rest to the sink. After a bare CR or
   * LF, or above the size, the sink gets nothing more. The content is still read to its real end,
   * so that no part of it is taken for a command.
   */
  public ContentResult readContent(long maxSize, ContentSink sink) throws IOException {
    DotUnstuffer scan = new DotUnstuffer(maxSize, sink);
    try {
      while (true) {
        int consumed = scan.accept(buffer, position, end);
        position += consumed;
        if (scan.ended()) return scan.result();
        if (!fill(LARGE)) return new ContentResult.Truncated();
      }
    } finally {
      shrink();
    }
  }

  /**
   * Passes exactly {@code size} octets of any value to the sink (RFC 3030 §2); false when the
   * connection ended before.
   */
  public boolean readChunk(long size, ContentSink sink) throws IOException {
    long left = size;
    try {
      while (left > 0) {
        if (buffered() == 0 && !fill(left > SMALL ? LARGE : SMALL)) return false;
        int count = (int) Math.min(left, buffered());
        sink.write(buffer, position, count);
        position += count;
        left -= count;
      }
      return true;
    } finally {
      shrink();
    }
  }

  private ReceivedLine line(int lineFeed, int limit) {
    int start = position;
    position = lineFeed + 1;
    if (position - start > limit) return new ReceivedLine.TooLong(startOfLine(start));
    boolean clean = lineFeed > start && buffer[lineFeed - 1] == '\r';
    int length = lineFeed - start - (clean ? 1 : 0);
    String text = new String(buffer, start, length, StandardCharsets.ISO_8859_1);
    if (length > SMALL) shrink(); // frees the 12 KiB that a long AUTH needed
    return clean ? new ReceivedLine.Text(text) : new ReceivedLine.BareLineFeed(text);
  }

  private ReceivedLine skipLine() throws IOException {
    String start = startOfLine(position);
    while (true) {
      int lineFeed = indexOfLineFeed(position);
      if (lineFeed >= 0) {
        position = lineFeed + 1;
        return new ReceivedLine.TooLong(start);
      }
      position = end;
      if (!fill(SMALL)) return new ReceivedLine.End();
    }
  }

  private String startOfLine(int from) {
    int length = Math.min(ReceivedLine.TooLong.START, end - from);
    return new String(buffer, from, length, StandardCharsets.ISO_8859_1);
  }

  private int indexOfLineFeed(int from) {
    for (int i = from; i < end; i++) if (buffer[i] == '\n') return i;
    return -1;
  }

  /** Reads the available octets, at least one, into a buffer of at least {@code size}. */
  private boolean fill(int size) throws IOException {
    if (position == end) {
      position = 0;
      end = 0;
    } else if (position > 0 && end == buffer.length) {
      System.arraycopy(buffer, position, buffer, 0, end - position);
      end -= position;
      position = 0;
    }
    boolean full = end == buffer.length;
    if (full || (size == LARGE && buffer.length < LARGE)) {
      buffer = Arrays.copyOf(buffer, Math.max(size, full ? buffer.length * 2 : 0));
    }
    beforeWaiting.flush();
    int read = in.read(buffer, end, buffer.length - end);
    if (read <= 0) return false;
    end += read;
    return true;
  }

  private void shrink() {
    int rest = buffered();
    if (buffer.length == SMALL || rest > SMALL) return;
    byte[] small = new byte[SMALL];
    System.arraycopy(buffer, position, small, 0, rest);
    buffer = small;
    position = 0;
    end = rest;
  }

  /** An action that sends the output written so far. */
  @FunctionalInterface
  public interface Flush {
    void flush() throws IOException;
  }

  /**
   * The automaton that finds the end of content and removes stuffed dots. It has five states and
   * reads one octet at a time; runs of ordinary octets are passed on without copying.
   */
  private static final class DotUnstuffer {
    private enum State {
      LINE_START,
      /** A withheld dot at the start of a line: stuffed, or the end of the content. */
      DOT,
      /** A withheld dot and CR. */
      DOT_CR,
      TEXT,
      CR
    }

    private final long maxSize;
    private final ContentSink sink;
    private State state = State.LINE_START; // the CRLF of the DATA command counts (§4.1.1.4)
    private long size;
    private boolean bareLineEnd;
    private boolean ended;

    DotUnstuffer(long maxSize, ContentSink sink) {
      this.maxSize = maxSize;
      this.sink = sink;
    }

    boolean ended() {
      return ended;
    }

    ContentResult result() {
      if (bareLineEnd) return new ContentResult.BareLineEnd();
      if (size > maxSize) return new ContentResult.TooLarge();
      return new ContentResult.Complete(size);
    }

    /** Consumes octets up to the end of content or of the array; returns how many. */
    int accept(byte[] bytes, int from, int to) throws IOException {
      if (ended) throw new IllegalStateException("no content follows the final dot");
      int kept = from; // start of the run that is not passed on yet
      int i = from;
      while (i < to) {
        if (state == State.TEXT) {
          i = skipText(bytes, i, to);
          if (i == to) break;
        }
        byte b = bytes[i++];
        State before = state;
        state = next(b);
        if (ended) return i - from;
        boolean withheld = state == State.DOT || state == State.DOT_CR;
        if (withheld) {
          if (before == State.LINE_START) pass(bytes, kept, i - 1);
          kept = i;
        }
      }
      pass(bytes, kept, to);
      return to - from;
    }

    private State next(byte b) {
      return switch (b) {
        case '\r' -> afterCarriageReturn();
        case '\n' -> afterLineFeed();
        default -> afterOther(b);
      };
    }

    private State afterCarriageReturn() {
      if (state == State.CR || state == State.DOT_CR) bareLineEnd = true;
      return state == State.DOT ? State.DOT_CR : State.CR;
    }

    private State afterLineFeed() {
      if (state == State.CR) return State.LINE_START;
      if (state == State.DOT_CR) ended = true;
      else bareLineEnd = true;
      return State.TEXT;
    }

    private State afterOther(byte b) {
      if (state == State.CR || state == State.DOT_CR) bareLineEnd = true;
      return b == '.' && state == State.LINE_START ? State.DOT : State.TEXT;
    }

    private static int skipText(byte[] bytes, int from, int to) {
      int i = from;
      while (i < to && bytes[i] != '\r' && bytes[i] != '\n') i++;
      return i;
    }

    private void pass(byte[] bytes, int from, int to) throws IOException {
      if (to <= from) return;
      size += to - from;
      if (!bareLineEnd && size <= maxSize) sink.write(bytes, from, to - from);
    }
  }
}
