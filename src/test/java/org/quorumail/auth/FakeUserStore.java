package org.quorumail.auth;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;
import org.quorumail.auth.AuthConfig.AuthLimits;

/** A store of one user with given keys; all other names have keys of another password. */
final class FakeUserStore implements UserStore {
  private final User user;
  private final ScramKeys keys;
  private final ScramKeys decoy;

  FakeUserStore(User user, ScramKeys keys) {
    this.user = user;
    this.keys = keys;
    this.decoy = ScramKeys.derive("nobody's", keys.salt(), keys.iterations());
  }

  static FakeUserStore with(String name, String password) {
    byte[] salt = "0123456789abcdef".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    return new FakeUserStore(
        new User(name, java.util.Set.of()), ScramKeys.derive(password, salt, 4096));
  }

  /** A verifier for a client without failures. */
  PasswordVerifier verifier() {
    LoginFailures failures =
        new LoginFailures(new AuthLimits(5, 30, 100, Duration.ofMinutes(10), Duration.ZERO));
    return new PasswordVerifier(
        this, new PasswordCheckQueue(1, failures), InetAddress.getLoopbackAddress());
  }

  @Override
  public PasswordCheck checkPassword(String name, String password) {
    ScramCredentials c = scramCredentials(name);
    ScramKeys derived = ScramKeys.derive(password, c.keys().salt(), c.keys().iterations());
    return derived.matches(c.keys()) && c.user().isPresent()
        ? new PasswordCheck.Correct(user)
        : new PasswordCheck.Wrong();
  }

  @Override
  public int maxConcurrentChecks() {
    return 1;
  }

  @Override
  public boolean hasScramKeys() {
    return true;
  }

  @Override
  public ScramCredentials scramCredentials(String name) {
    return name.equals(user.name())
        ? new ScramCredentials(keys, Optional.of(user))
        : new ScramCredentials(decoy, Optional.empty());
  }

  @Override
  public Optional<User> findUser(String name) {
    return name.equals(user.name()) ? Optional.of(user) : Optional.empty();
  }
}
