package org.quorumail.api;

import java.io.IOException;

/** The error of a token file without a usable token; the message is one sentence. */
public final class TokenFileException extends IOException {
  private static final long serialVersionUID = 1L;

  TokenFileException(String key, String problem) {
    super(key + ": " + problem);
  }
}
