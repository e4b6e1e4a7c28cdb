package org.quorumail.auth;

import java.util.Optional;

/**
 * Who may log in. Names and passwords are given as {@link SaslPrep} makes them. Whether a name
 * exists is never told apart from a wrong password, neither by the answer nor by its time.
 */
interface UserStore extends AutoCloseable {
  /** Checks a password; blocks for as long as a slow hash or a directory takes. */
  PasswordCheck checkPassword(String name, String password);

  /** Whether {@link #scramCredentials} can answer, so that SCRAM is worth offering. */
  boolean hasScramKeys();

  /**
   * What SCRAM needs of a name. For an unknown name the keys are made up, always the same, and fit
   * no password.
   */
  ScramCredentials scramCredentials(String name);

  /** Somebody who is known by other proof; empty when the name is unknown or cannot be asked. */
  Optional<User> findUser(String name);

  @Override
  default void close() {}

  /** What came of a password. */
  sealed interface PasswordCheck {
    record Correct(User user) implements PasswordCheck {}

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
