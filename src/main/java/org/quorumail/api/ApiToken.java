package org.quorumail.api;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
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

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof ApiToken that && MessageDigest.isEqual(hash, that.hash);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(hash);
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
