package org.quorumail.api;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import org.quorumail.config.Secret;
import org.quorumail.config.TextFile;

/**
 * The bearer token of the HTTP API (RFC 6750).
 *
 * @param hash SHA-256, which is compared in constant time
 */
record ApiToken(Secret hash) {
  /** The longest token file; a longer one was named by mistake. */
  private static final int MAX_FILE = 4096;

  /** The shortest token; shorter ones can be guessed. */
  private static final int MIN_LENGTH = 16;

  /** Reads a token file; the exception's sentence names its key and the file. */
  static Optional<ApiToken> read(String key, Optional<Path> file) throws TokenFileException {
    if (file.isEmpty()) return Optional.empty();
    String token = readLine(key, file.get());
    if (token.length() < MIN_LENGTH) {
      throw new TokenFileException(
          key, "the token in " + file.get() + " has fewer than 16 characters");
    }
    return Optional.of(new ApiToken(sha256(token)));
  }

  private static String readLine(String key, Path file) throws TokenFileException {
    try {
      if (Files.size(file) <= MAX_FILE) return TextFile.read(file, MAX_FILE).strip();
    } catch (TextFile.LineException e) {
      throw new TokenFileException(key, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new TokenFileException(key, file + " cannot be read: correct its path or its mode");
    }
    throw new TokenFileException(key, file + " is longer than a token");
  }

  boolean matches(String candidate) {
    return hash.equals(sha256(candidate));
  }

  private static Secret sha256(String text) {
    try {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      return new Secret(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
