package org.quorumail.policy.milter;

import java.io.IOException;

/** A milter that cannot be reached, is late, or does not speak the protocol; one sentence. */
final class MilterException extends IOException {
  private static final long serialVersionUID = 1L;

  MilterException(String message) {
    super(message);
  }

  MilterException(String message, Throwable cause) {
    super(message, cause);
  }
}
