package org.quorumail.gossip.transport;

import java.util.Arrays;
import java.util.Optional;

/** The traffic that one QUIC stream carries: membership, or one priority of broadcasts. */
public enum StreamClass {
  MEMBERSHIP(0),
  CRITICAL(1),
  HIGH(2),
  NORMAL(3),
  LOW(4);

  private final int code;

  StreamClass(int code) {
    this.code = code;
  }

  static Optional<StreamClass> ofCode(int code) {
    return Arrays.stream(values()).filter(c -> c.code == code).findFirst();
  }

  /** The first byte of the stream. */
  int code() {
    return code;
  }

  /** The urgency of RFC 9218: membership first, then broadcasts by priority. */
  int urgency() {
    return code;
  }
}
