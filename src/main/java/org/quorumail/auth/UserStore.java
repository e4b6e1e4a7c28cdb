package org.quorumail.auth;

import java.util.Optional;

/**
 * The users that may log in. Names and passwords have the form of {@link SaslPrep}. Neither the
 * answer nor its time shows whether a name exists.
 */
interface UserStore extends AutoCloseable {
  /** The user of a password that was proved a short time ago; costs next to nothing. */
  default Optional<User> recentlyProved(String name, String password) {
    return Optional.empty();
  }

  /**
   * Checks a password. Blocks as long as a slow hash or a directory takes, so it is called in turn
   * by a {@link PasswordCheckQueue}.
   */
  PasswordCheck checkPassword(String name, String password);

  /** The number of password checks that may run at the same time. */
  int maxConcurrentChecks();

  /** Returns whether {@link #scramCredentials} can answer, so that SCRAM is worth offering. */
  boolean hasScramKeys();

  /**
   * The keys of a name for SCRAM. An unknown name gets decoy keys, always the same, that match no
   * password.
   */
  ScramCredentials scramCredentials(String name);

  /** The user of a name that was proved in another way; empty when unknown or unavailable. */
  Optional<User> findUser(String name);

  @Override
  default void close() {}

  /** The result of a password check. */
  sealed interface PasswordCheck {
    record Correct(User user) implements PasswordCheck {}

    record Wrong() implements PasswordCheck {}

    /**
     * The password cannot be checked now.
     *
     * @param reason for the log
     */
    record Unavailable(String reason) implements PasswordCheck {}
  }

  /**
   * The keys of a name.
   *
   * @param user empty for decoy keys
   */
  record ScramCredentials(ScramKeys keys, Optional<User> user) {}
}
