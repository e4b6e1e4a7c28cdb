package org.quorumail.auth;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.quorumail.config.FileExposure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The users of a {@link UsersFile}, which is reloaded when it changes. */
final class FileUserStore implements UserStore {
  private static final Logger LOG = LoggerFactory.getLogger(FileUserStore.class);

  /** The longest wait for a permit to hash; then the login fails for now. */
  private static final Duration HASH_TIMEOUT = Duration.ofSeconds(10);

  /** Half of the processors: password guessing must not starve the mail. */
  private static final int MAX_CONCURRENT_HASHES =
      Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  private final WatchedFile<UsersFile> file;
  private final Semaphore hashPermits = new Semaphore(MAX_CONCURRENT_HASHES, true);
  private final PasswordCache passwordCache = new PasswordCache();
  private final KeyDerivation keyDerivation;

  /** The slow derivation of keys, replaceable by a test. */
  interface KeyDerivation {
    ScramKeys derive(String password, byte[] salt, int iterations);
  }

  FileUserStore(Path path) throws IOException {
    this(path, ScramKeys::derive);
  }

  FileUserStore(Path path, KeyDerivation keyDerivation) throws IOException {
    this.keyDerivation = keyDerivation;
    this.file =
        new WatchedFile<>(
            path,
            UsersFile.MAX_SIZE,
            "auth.users_file",
            Optional.of(
                UsersFile.empty()), // nobody can log in until `quorumail user add` creates it
            FileUserStore::readUsers);
  }

  @Override
  public PasswordCheck checkPassword(String name, String password) {
    ScramCredentials credentials = file.current().credentials(name);
    ScramKeys stored = credentials.keys();
    boolean correct = passwordCache.contains(stored, password);
    if (!correct) {
      if (!acquireHashPermit()) return new PasswordCheck.Unavailable("too many logins at once");
      try {
        // the password of an unknown name is hashed too: the answer must take as long
        correct =
            keyDerivation.derive(password, stored.salt(), stored.iterations()).matches(stored);
      } finally {
        hashPermits.release();
      }
    }
    if (!correct || credentials.user().isEmpty()) return new PasswordCheck.Wrong();
    passwordCache.add(stored, password);
    return new PasswordCheck.Correct(credentials.user().get());
  }

  @Override
  public boolean hasScramKeys() {
    return true;
  }

  @Override
  public ScramCredentials scramCredentials(String name) {
    return file.current().credentials(name);
  }

  @Override
  public Optional<User> findUser(String name) {
    return file.current().find(name).map(UsersFile.UserRow::user);
  }

  private boolean acquireHashPermit() {
    try {
      return hashPermits.tryAcquire(HASH_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static UsersFile readUsers(Path path, String text) throws IOException {
    FileExposure.warning(path)
        .ifPresent(warning -> LOG.warn("event=users_file_exposed warning=\"{}\"", warning));
    return UsersFile.read(path, text);
  }
}
