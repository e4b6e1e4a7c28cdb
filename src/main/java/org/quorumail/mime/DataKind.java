package org.quorumail.mime;

/** The kinds of data of RFC 2045 §2.7 to §2.9, each wider than the one before. */
public enum DataKind {
  SEVEN_BIT("7bit"),
  EIGHT_BIT("8bit"),
  BINARY("binary");

  private final String label;

  DataKind(String label) {
    this.label = label;
  }

  /** The Content-Transfer-Encoding of data that is not encoded, RFC 2045 §6.2. */
  String label() {
    return label;
  }

  boolean exceeds(DataKind other) {
    return compareTo(other) > 0;
  }
}
