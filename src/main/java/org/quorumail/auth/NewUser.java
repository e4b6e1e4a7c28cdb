package org.quorumail.auth;

import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * A user who will be written into a users file.
 *
 * @param password in clear; the file keeps only its SCRAM keys
 * @param senders see {@link User}
 */
public record NewUser(String name, String password, int iterations, List<String> senders) {
  /** OWASP's value for PBKDF2 with HMAC-SHA-256: a quarter to half a second of one core. */
  public static final int DEFAULT_ITERATIONS = 600_000;

  /**
   * @throws IllegalArgumentException with one sentence about the value that is not legal
   */
  public NewUser {
    Optional<String> prepared = SaslPrep.name(name);
    boolean legal = prepared.isPresent() && "#%".indexOf(prepared.get().charAt(0)) < 0;
    if (!legal) {
      throw new IllegalArgumentException(
          "a user's name has 1 to "
              + SaslPrep.MAX_NAME_OCTETS
              + " octets, no blanks or control characters, and begins with neither # nor %");
    }
    if (iterations < ScramKeys.MIN_ITERATIONS || iterations > ScramKeys.MAX_ITERATIONS) {
      throw new IllegalArgumentException(
          "iterations must be " + ScramKeys.MIN_ITERATIONS + " to " + ScramKeys.MAX_ITERATIONS);
    }
    name = prepared.get();
    password = SaslPrep.newPassword(password);
    senders = List.copyOf(new TreeSet<>(UsersFile.parseSenders(senders)));
  }

  /** Never shows the password. */
  @Override
  public String toString() {
    return name;
  }

  /** The line of the file, with a fresh salt. */
  String line() {
    byte[] salt = new byte[ScramKeys.SALT_BYTES];
    new SecureRandom().nextBytes(salt);
    String keys = ScramKeys.derive(password, salt, iterations).text();
    return name + " " + keys + (senders.isEmpty() ? "" : " " + String.join(",", senders));
  }
}
