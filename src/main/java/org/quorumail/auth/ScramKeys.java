package org.quorumail.auth;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The keys that a server stores of a password for SCRAM-SHA-256, RFC 5802 §3. They do not allow a
 * login, and a password in clear can be checked against them: one stored form serves all
 * mechanisms.
 *
 * <p>The text form is that of RFC 5803: {@code SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY},
 * salt and keys in base64.
 */
record ScramKeys(byte[] salt, int iterations, byte[] storedKey, byte[] serverKey) {
  /** RFC 7677 §4 asks for at least this. */
  static final int MIN_ITERATIONS = 4096;

  /** Some 5 s of work; more would only let clients exhaust the processor. */
  static final int MAX_ITERATIONS = 10_000_000;

  static final int KEY_BYTES = 32;
  static final int SALT_BYTES = 16;

  private static final int MAX_SALT = 64;
  private static final Pattern TEXT =
      Pattern.compile("SCRAM-SHA-256\\$(\\d{1,8}):([^$:]+)\\$([^$:]+):([^$:]+)");

  ScramKeys {
    if (storedKey.length != KEY_BYTES || serverKey.length != KEY_BYTES) {
      throw new IllegalArgumentException("a key of SCRAM-SHA-256 has " + KEY_BYTES + " bytes");
    }
  }

  /** Derives the keys from a prepared password; slow on purpose. */
  static ScramKeys derive(String password, byte[] salt, int iterations) {
    byte[] salted = pbkdf2(password, salt, iterations);
    byte[] storedKey = sha256(hmac(salted, "Client Key"));
    return new ScramKeys(salt, iterations, storedKey, hmac(salted, "Server Key"));
  }

  /** Returns whether the other keys come from the same password, in constant time. */
  boolean matches(ScramKeys other) {
    return MessageDigest.isEqual(storedKey, other.storedKey);
  }

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException with one sentence that contains no key
   */
  static ScramKeys parse(String text) {
    Matcher m = TEXT.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "the password is not stored as SCRAM-SHA-256$iterations:salt$storedkey:serverkey");
    }
    int iterations = Integer.parseInt(m.group(1));
    if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
      throw new IllegalArgumentException(
          "iterations must be " + MIN_ITERATIONS + " to " + MAX_ITERATIONS);
    }
    byte[] salt = base64(m.group(2));
    byte[] storedKey = base64(m.group(3));
    byte[] serverKey = base64(m.group(4));
    if (salt.length < 8 || salt.length > MAX_SALT) {
      throw new IllegalArgumentException("a salt has 8 to " + MAX_SALT + " bytes");
    }
    return new ScramKeys(salt, iterations, storedKey, serverKey);
  }

  /** The text form. */
  String text() {
    Base64.Encoder base64 = Base64.getEncoder();
    return "SCRAM-SHA-256$"
        + iterations
        + ":"
        + base64.encodeToString(salt)
        + "$"
        + base64.encodeToString(storedKey)
        + ":"
        + base64.encodeToString(serverKey);
  }

  /** Never shows the keys. */
  @Override
  public String toString() {
    return "SCRAM-SHA-256$" + iterations;
  }

  static byte[] hmac(byte[] key, String text) {
    return hmac(key, text.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] hmac(byte[] key, byte[] data) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(data);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has HmacSHA256", e);
    }
  }

  static byte[] sha256(byte[] data) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(data);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Hi() of RFC 5802 §2.2. */
  private static byte[] pbkdf2(String password, byte[] salt, int iterations) {
    PBEKeySpec spec =
        new PBEKeySpec(password.toCharArray(), salt, iterations, KEY_BYTES * Byte.SIZE);
    try {
      return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256").generateSecret(spec).getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has PBKDF2WithHmacSHA256", e);
    } finally {
      spec.clearPassword();
    }
  }

  private static byte[] base64(String text) {
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("salt and keys are base64", e);
    }
  }
}
