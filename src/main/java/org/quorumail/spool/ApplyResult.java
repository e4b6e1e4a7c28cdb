package org.quorumail.spool;

import java.util.List;

/** The result of applying an item of an entry, one byte for each item. */
enum ApplyResult {
  DONE(1),
  /** The term has ended, or the upload is not complete. */
  REFUSED(2),
  NO_SUCH_MESSAGE(3),
  HELD(4),
  /** A message with the same key was accepted before. */
  ACCEPTED_BEFORE(45),
  /** A result that this version does not know, or none. */
  UNKNOWN(0);

  private final byte code;

  ApplyResult(int code) {
    this.code = (byte) code;
  }

  static byte[] encode(List<ApplyResult> results) {
    byte[] bytes = new byte[results.size()];
    for (int i = 0; i < bytes.length; i++) bytes[i] = results.get(i).code;
    return bytes;
  }

  static ApplyResult decode(byte[] results, int item) {
    byte code = item < results.length ? results[item] : UNKNOWN.code;
    for (ApplyResult a : values()) if (a.code == code) return a;
    return UNKNOWN;
  }
}
