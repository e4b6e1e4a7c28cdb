package org.quorumail.smtp;

import java.io.IOException;

/**
 * The automaton that finds the end of content and removes stuffed dots. It has five states and
 * reads one octet at a time; runs of ordinary octets are passed on without copying.
 */
final class DotUnstuffer {
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
