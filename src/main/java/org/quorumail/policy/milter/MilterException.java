package org.quorumail.policy.milter;

import java.io.IOException;

/** The error of a milter that cannot be reached, is late or violates the protocol. */
final class MilterException extends IOException {
  private static final long serialVersionUID = 1L;

  MilterException(String message) {
    super(message);
  }

  MilterException(String message, Throwable cause) {
    super(message, cause);
  }
}
