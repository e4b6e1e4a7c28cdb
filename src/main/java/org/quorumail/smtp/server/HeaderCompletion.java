package org.quorumail.smtp.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.quorumail.smtp.ContentSink;

/**
 * The completion of the header of a submitted message: it adds a missing Date and Message-ID at the
 * end of the header, RFC 6409 §8.2 and §8.3. Every octet of the message itself passes unchanged,
 * malformed or not. The first line that is no header field ends the header (RFC 5322 §2.2).
 */
final class HeaderCompletion implements ContentSink {
  private static final int MAX_NAME = 998; // a line, RFC 5322 §2.1.1

  private enum State {
    LINE_START,
    NAME,
    AFTER_NAME, // blanks before the colon, RFC 5322 §4.5
    VALUE,
    EMPTY_LINE, // its CR was seen
    BODY
  }

  private final ContentSink to;
  private final String date;
  private final String messageId;
  private final byte[] pending =
      new byte[MAX_NAME + 1]; // the start of a line whose kind is not known yet
  private int pendingLength;
  private int nameLength;
  private State state = State.LINE_START;
  private boolean firstLine = true;
  private boolean hasDate;
  private boolean hasMessageId;

  /**
   * @param date the value of the Date field
   * @param messageId the value of Message-ID, in angle brackets
   */
  HeaderCompletion(ContentSink to, String date, String messageId) {
    this.to = to;
    this.date = date;
    this.messageId = messageId;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    int end = offset + length;
    int at = offset;
    while (at < end && state != State.BODY) {
      if (state == State.VALUE) at = passValue(bytes, at, end);
      else accept(bytes[at++]);
    }
    if (at < end) to.write(bytes, at, end - at);
  }

  /** Ends the message, perhaps inside its header; the caller must call it after the last octet. */
  void finish() throws IOException {
    if (state == State.VALUE) to.write(new byte[] {'\r', '\n'}, 0, 2); // BDAT may end anywhere
    if (state != State.BODY) endHeader();
  }

  /** Passes the octets up to the end of the line or of the array. */
  private int passValue(byte[] bytes, int from, int end) throws IOException {
    int at = from;
    while (at < end && bytes[at] != '\n') at++;
    if (at < end) {
      at++;
      state = State.LINE_START;
      firstLine = false;
    }
    to.write(bytes, from, at - from);
    return at;
  }

  private void accept(byte octet) throws IOException {
    addPending(octet);
    switch (state) {
      case LINE_START -> {
        boolean folded = (octet == ' ' || octet == '\t') && !firstLine;
        if (folded) passPending();
        else if (octet == '\r') state = State.EMPTY_LINE;
        else if (isNameOctet(octet)) state = State.NAME;
        else endHeader();
      }
      case NAME -> {
        if (octet == ':') field(pendingLength - 1);
        else if (octet == ' ' || octet == '\t') {
          nameLength = pendingLength - 1;
          state = State.AFTER_NAME;
        } else if (!isNameOctet(octet) || pendingLength > MAX_NAME) endHeader();
      }
      case AFTER_NAME -> {
        if (octet == ':') field(nameLength);
        else if ((octet != ' ' && octet != '\t') || pendingLength > MAX_NAME) endHeader();
      }
      case EMPTY_LINE -> endHeader();
      case VALUE, BODY -> throw new IllegalStateException("write() handles this state");
    }
  }

  private void field(int length) throws IOException {
    String name = new String(pending, 0, length, StandardCharsets.ISO_8859_1);
    hasDate |= name.equalsIgnoreCase("Date");
    hasMessageId |= name.equalsIgnoreCase("Message-ID");
    passPending();
  }

  private void passPending() throws IOException {
    to.write(pending, 0, pendingLength);
    pendingLength = 0;
    state = State.VALUE;
  }

  private void endHeader() throws IOException {
    if (!hasDate) add("Date: " + date);
    if (!hasMessageId) add("Message-ID: " + messageId);
    to.write(pending, 0, pendingLength);
    pendingLength = 0;
    state = State.BODY;
  }

  private void add(String field) throws IOException {
    byte[] line = (field + "\r\n").getBytes(StandardCharsets.US_ASCII);
    to.write(line, 0, line.length);
  }

  private void addPending(byte octet) {
    pending[pendingLength++] = octet;
  }

  /** RFC 5322 §2.2: printable, but no colon. */
  private static boolean isNameOctet(byte octet) {
    return octet > ' ' && octet < 0x7F && octet != ':';
  }
}
