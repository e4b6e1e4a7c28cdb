package org.quorumail.smtp.server;

/**
 * Reads the header of a message that streams by: counts its Received fields (RFC 5321 §6.3) and
 * looks for octets above ASCII. Looks at no octet after the header.
 */
final class HeaderScan {
  /**
   * A message that has come so far is in a loop. RFC 5321 §6.3 speaks of 100; honest mail has fewer
   * than ten, and two hosts that send a message to each other should not do it fifty times each.
   */
  static final int MAX_HOPS = 30;

  private static final byte[] NAME = {'r', 'e', 'c', 'e', 'i', 'v', 'e', 'd', ':'};
  private static final int NO_MATCH = -1;

  private int column; // octets of this line so far
  private int matched; // octets of NAME at the start of this line, or NO_MATCH
  private boolean inHeader = true;
  private int hops;
  private boolean eightBit;

  boolean eightBit() {
    return eightBit;
  }

  boolean looping() {
    return hops >= MAX_HOPS;
  }

  void accept(byte[] bytes, int offset, int length) {
    for (int i = offset; inHeader && i < offset + length; i++) next(bytes[i]);
  }

  private void next(byte b) {
    if (b == '\n') {
      inHeader = column > 1; // only the CR: the empty line that ends the header
      column = 0;
      matched = 0;
      return;
    }
    column++;
    if (b < 0) eightBit = true;
    if (matched == NO_MATCH || matched == NAME.length) return;
    boolean fits = (b | 0x20) == (NAME[matched] | 0x20);
    matched = fits ? matched + 1 : NO_MATCH;
    if (matched == NAME.length) hops++;
  }
}
