package org.quorumail.smtp.server;

/**
 * Scans the octets of a content as they stream by. In the header it counts the Received fields (RFC
 * 5321 §6.3); in all of it, it finds octets above 127, line ends that are not CRLF, and lines that
 * are a lone dot for a host that drops NUL.
 */
final class ContentScanner {
  private static final byte[] NAME = {'r', 'e', 'c', 'e', 'i', 'v', 'e', 'd', ':'};
  private static final int NO_MATCH = -1;

  private int column; // octets of this header line so far
  private int matched; // octets of NAME at the start of this line, or NO_MATCH
  private boolean inHeader = true;
  private int hops;
  private boolean headerReturn; // the last octet of the header so far was a CR
  private boolean bareHeaderLineEnds;
  private boolean eightBitHeader;
  private boolean eightBit;
  private boolean bareLineEnds;
  private boolean carriageReturn; // the last octet was one
  private boolean atLineStart = true;
  private NulLine nulLine = NulLine.TEXT;
  private boolean nulBesideDot;

  /** A line so far, if it begins with NUL. */
  private enum NulLine {
    TEXT,
    NULS,
    /** One dot, and NULs before it and perhaps after it. */
    DOT,
    DOT_CR
  }

  /** The number of Received fields. */
  int hops() {
    return hops;
  }

  /** Whether an octet of the header is above 127. */
  boolean hasEightBitHeader() {
    return eightBitHeader;
  }

  /** Whether any octet is above 127. */
  boolean hasEightBit() {
    return eightBit;
  }

  /** Whether a CR or LF stands alone (RFC 5321 §2.3.8); a CR at the very end does. */
  boolean hasBareLineEnds() {
    return bareLineEnds || carriageReturn;
  }

  /**
   * Whether a line end is one that the content must not have: any bare one, or one of the header
   * where the content is binary, since its body has no lines (RFC 3030 §3). A header that readers
   * end at different places hides what follows.
   *
   * @param complete whether no more octets follow
   */
  boolean hasForbiddenLineEnd(boolean binary, boolean complete) {
    boolean openReturn = complete && carriageReturn;
    if (binary) return bareHeaderLineEnds || (inHeader && openReturn);
    return bareLineEnds || openReturn;
  }

  /**
   * Whether a line consists of NULs and a dot after the first of them. No dot is stuffed there, so
   * a next hop that drops NUL (RFC 5322 §4 forbids it) would take the line for the end of the
   * message, and what follows for commands.
   *
   * @param complete whether no more octets follow
   */
  boolean hasNulBesideDot(boolean complete) {
    return nulBesideDot || (complete && nulLine == NulLine.DOT);
  }

  void accept(byte[] bytes, int offset, int length) {
    if (length == 0) return;
    for (int i = offset; inHeader && i < offset + length; i++) acceptHeader(bytes[i]);
    boolean high = false;
    boolean bare = false;
    boolean nul = false;
    boolean afterReturn = carriageReturn;
    for (int i = offset; i < offset + length; i++) {
      byte b = bytes[i];
      high |= b < 0;
      nul |= b == 0;
      bare |= afterReturn != (b == '\n');
      afterReturn = b == '\r';
    }
    eightBit |= high;
    bareLineEnds |= bare;
    carriageReturn = afterReturn;
    if (nul || nulLine != NulLine.TEXT) scanNulLines(bytes, offset, length);
    atLineStart = bytes[offset + length - 1] == '\n';
  }

  private void scanNulLines(byte[] bytes, int offset, int length) {
    boolean start = atLineStart;
    for (int i = offset; i < offset + length; i++) {
      byte b = bytes[i];
      nulBesideDot |= nulLine == NulLine.DOT_CR && b == '\n';
      nulLine =
          switch (b) {
            case 0 -> start ? NulLine.NULS : nulLine == NulLine.DOT_CR ? NulLine.TEXT : nulLine;
            case '.' -> nulLine == NulLine.NULS ? NulLine.DOT : NulLine.TEXT;
            case '\r' -> nulLine == NulLine.DOT ? NulLine.DOT_CR : NulLine.TEXT;
            default -> NulLine.TEXT;
          };
      start = b == '\n';
    }
  }

  private void acceptHeader(byte b) {
    boolean afterReturn = headerReturn;
    headerReturn = b == '\r';
    bareHeaderLineEnds |= afterReturn != (b == '\n');
    if (b == '\n') {
      inHeader = column != 1 || !afterReturn; // only the CR: the empty line that ends the header
      column = 0;
      matched = 0;
      return;
    }
    column++;
    if (b < 0) eightBitHeader = true;
    if (matched == NO_MATCH || matched == NAME.length) return;
    boolean fits = (b | 0x20) == (NAME[matched] | 0x20);
    matched = fits ? matched + 1 : NO_MATCH;
    if (matched == NAME.length) hops++;
  }
}
