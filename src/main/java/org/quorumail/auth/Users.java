package org.quorumail.auth;

import java.util.Optional;

/**
 * Who may log in. Names and passwords are given as {@link Prepared} makes them. Whether a name
 * exists is never told apart from a wrong password, neither by the answer nor by its time.
 */
interface Users extends AutoCloseable {
  /** Checks a password; blocks for as long as a slow hash or a directory takes. */
  PasswordCheck check(String name, String password);

  /** Whether {@link #scram} can answer, so that SCRAM is worth offering. */
  boolean keepsScramKeys();

  /**
   * What SCRAM needs of a name. For an unknown name the keys are made up, always the same, and fit
   * no password.
   */
  ScramCredentials scram(String name);

  /** Somebody who is known by other proof; empty when the name is unknown or cannot be asked. */
  Optional<User> known(String name);

  @Override
  default void close() {}

  /** What came of a password. */
  sealed interface PasswordCheck {
    record Right(User user) implements PasswordCheck {}

    record Wrong() implements PasswordCheck {}

    /**
     * Nothing can be said now.
     *
     * @param reason for the log
     */
    record Unavailable(String reason) implements PasswordCheck {}
  }

  /**
   * @param user empty for keys that were made up
   */
  record ScramCredentials(ScramKeys keys, Optional<User> user) {}
}
