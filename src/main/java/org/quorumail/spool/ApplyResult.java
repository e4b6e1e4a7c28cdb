package org.quorumail.spool;

import java.util.List;

/** What the state answers to an entry, one byte for each of its items. */
enum ApplyResult {
  DONE(1),
  /** The term has passed, or the upload is not whole. */
  REFUSED(2),
  NO_SUCH_MESSAGE(3),
  HELD(4),
  /** An answer of a version that this one does not know, or none. */
  UNKNOWN(0);

  private final byte code;

  ApplyResult(int code) {
    this.code = (byte) code;
  }

  static byte[] encode(List<ApplyResult> answers) {
    byte[] bytes = new byte[answers.size()];
    for (int i = 0; i < bytes.length; i++) bytes[i] = answers.get(i).code;
    return bytes;
  }

  static ApplyResult decode(byte[] answers, int item) {
    byte code = item < answers.length ? answers[item] : UNKNOWN.code;
    for (ApplyResult a : values()) if (a.code == code) return a;
    return UNKNOWN;
  }
}
