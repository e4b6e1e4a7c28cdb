package org.quorumail.api;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import org.quorumail.config.TextFile;

/** The bearer token of the HTTP API (RFC 6750), kept as its hash. */
final class ApiToken {
  /** The longest token file; a longer one was named by mistake. */
  private static final int MAX_FILE = 4096;

  /** The shortest token; shorter ones can be guessed. */
  private static final int MIN_LENGTH = 16;

  private final byte[] hash;

  private ApiToken(byte[] hash) {
    this.hash = hash;
  }

  /** Reads {@code api.token_file}; the exception's sentence names the file. */
  static Optional<ApiToken> read(Optional<Path> file) throws TokenFileException {
    if (file.isEmpty()) return Optional.empty();
    String token = readLine(file.get());
    if (token.length() < MIN_LENGTH) {
      throw new TokenFileException("the token in " + file.get() + " has fewer than 16 characters");
    }
    return Optional.of(new ApiToken(sha256(token)));
  }

  private static String readLine(Path file) throws TokenFileException {
    try {
      if (Files.size(file) <= MAX_FILE) return TextFile.read(file, MAX_FILE).strip();
    } catch (TextFile.LineException e) {
      throw new TokenFileException(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new TokenFileException(file + " cannot be read: correct its path or its mode");
    }
    throw new TokenFileException(file + " is longer than a token");
  }

  /** Compares in constant time. */
  boolean matches(String candidate) {
    return MessageDigest.isEqual(hash, sha256(candidate));
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
