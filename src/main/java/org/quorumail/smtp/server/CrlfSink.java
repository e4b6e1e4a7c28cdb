package org.quorumail.smtp.server;

import java.io.IOException;
import org.quorumail.smtp.ContentSink;

/**
 * Makes each line end of a content CRLF: a CR or LF alone becomes one, and the last line gets one
 * if it has none.
 */
final class CrlfSink implements ContentSink {
  private static final byte[] CRLF = {'\r', '\n'};

  private final ContentSink to;
  private byte last = '\n';

  CrlfSink(ContentSink to) {
    this.to = to;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int from = offset;
    for (int at = offset; at < offset + length; at++) {
      byte b = bytes[at];
      boolean afterReturn = last == '\r';
      last = b;
      if (afterReturn == (b == '\n')) continue;
      if (at > from) to.write(bytes, from, at - from);
      from = at;
      to.write(CRLF, afterReturn ? 1 : 0, 1); // the half that is missing
    }
    if (offset + length > from) to.write(bytes, from, offset + length - from);
  }

  /** Ends the content. */
  void finish() throws IOException {
    if (last == '\r') to.write(CRLF, 1, 1);
    else if (last != '\n') to.write(CRLF, 0, CRLF.length);
  }
}
