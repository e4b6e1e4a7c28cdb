package org.quorumail.mime;

import java.io.IOException;
import java.io.InputStream;

/**
 * A reader of lines in bounded pieces: a line may have any length, a piece has a limit. Only CRLF
 * ends a line. The piece stays in this object until the next call of {@link #next}.
 */
final class CrlfLineReader {
  /** A boundary and the name of a field fit into the first piece of a line. */
  static final int MAX_PIECE = 4 * 1024;

  private final InputStream in;
  private final byte[] buffer = new byte[4 * MAX_PIECE];
  private int from;
  private int to;
  private boolean exhausted;

  private int offset;
  private int length;
  private boolean startsLine;
  private boolean endsLine = true; // the line before the first

  CrlfLineReader(InputStream in) {
    this.in = in;
  }

  /** Reads the next piece; false at the end of the content. */
  boolean next() throws IOException {
    fill();
    startsLine = endsLine;
    endsLine = false;
    if (from == to) return false;
    int most = Math.min(to, from + MAX_PIECE);
    int end = from;
    while (end < most && !lineEndsAt(end)) end++;
    offset = from;
    if (end < most) {
      endsLine = true;
      from = end + 2;
    } else {
      from = end;
    }
    length = end - offset;
    return true;
  }

  byte[] bytes() {
    return buffer;
  }

  int offset() {
    return offset;
  }

  /** The octets of the piece without the line end. */
  int length() {
    return length;
  }

  /** Returns whether the piece is the first of its line. */
  boolean startsLine() {
    return startsLine;
  }

  /** Returns whether CRLF follows the piece. */
  boolean endsLine() {
    return endsLine;
  }

  private boolean lineEndsAt(int i) {
    return buffer[i] == '\r' && i + 1 < to && buffer[i + 1] == '\n';
  }

  /** Buffers more than a piece, so that a CR at its end is seen with the octet after it. */
  private void fill() throws IOException {
    if (exhausted || to - from > MAX_PIECE) return;
    System.arraycopy(buffer, from, buffer, 0, to - from);
    to -= from;
    from = 0;
    while (!exhausted && to < buffer.length) {
      int read = in.read(buffer, to, buffer.length - to);
      if (read < 0) exhausted = true;
      else to += read;
    }
  }
}
