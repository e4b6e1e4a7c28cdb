package org.quorumail.smtp.server;

/** What the octets of a content, streaming by, tell about how it may travel on. */
final class ContentFacts {
  private boolean eightBit;
  private boolean bareLineEnds;
  private boolean carriageReturn; // the last octet was one

  /** Whether any octet is above 127. */
  boolean eightBit() {
    return eightBit;
  }

  /** Whether a CR or LF stands alone (RFC 5321 §2.3.8); one at the very end does. */
  boolean bareLineEnds() {
    return bareLineEnds || carriageReturn;
  }

  void accept(byte[] bytes, int offset, int length) {
    boolean high = false;
    boolean bare = false;
    boolean afterReturn = carriageReturn;
    for (int i = offset; i < offset + length; i++) {
      byte b = bytes[i];
      high |= b < 0;
      bare |= afterReturn != (b == '\n');
      afterReturn = b == '\r';
    }
    eightBit |= high;
    bareLineEnds |= bare;
    carriageReturn = afterReturn;
  }
}
