package org.quorumail.mime;

/** Determines the kind of data of a run of octets, RFC 2045 §2.7 to §2.9. */
final class DataKindScanner {
  private static final int MAX_LINE = 998; // RFC 5322 §2.1.1

  private long octets;
  private long eightBit;
  private boolean binary;
  private long line;
  private boolean longLine;

  /** Scans a line, or a part of one, without its CRLF. */
  void text(byte[] bytes, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      byte b = bytes[i];
      if (b < 0) eightBit++;
      else if (b == 0 || b == '\r' || b == '\n') binary = true;
    }
    octets += length;
    line += length;
    if (line > MAX_LINE) longLine = true;
  }

  void lineEnd() {
    octets += 2;
    line = 0;
  }

  /** Scans whole lines. */
  void block(byte[] bytes) {
    int start = 0;
    for (int i = 0; i + 1 < bytes.length; i++) {
      if (bytes[i] != '\r' || bytes[i + 1] != '\n') continue;
      text(bytes, start, i - start);
      lineEnd();
      start = i + 2;
    }
    text(bytes, start, bytes.length - start);
  }

  DataKind kind() {
    return longLine ? DataKind.BINARY : kindOfOctets();
  }

  /** The kind of the octets, without regard to the length of the lines. */
  DataKind kindOfOctets() {
    if (binary) return DataKind.BINARY;
    return eightBit > 0 ? DataKind.EIGHT_BIT : DataKind.SEVEN_BIT;
  }

  /**
   * Returns whether quoted-printable would be shorter than base64: three octets for one, or four
   * for three.
   */
  boolean mostlyAscii() {
    return eightBit * 6 <= octets;
  }
}
