package org.quorumail.api;

import java.io.IOException;

/**
 * The file of {@code api.token_file} holds no token that can be used; the message is a sentence.
 */
public final class TokenFileException extends IOException {
  private static final long serialVersionUID = 1L;

  TokenFileException(String problem) {
    super("api.token_file: " + problem);
  }
}
