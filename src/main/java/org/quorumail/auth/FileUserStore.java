package org.quorumail.auth;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.quorumail.config.FileExposure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The users of a {@link UsersFile}, which is reloaded when it changes. */
final class FileUserStore implements UserStore {
  private static final Logger LOG = LoggerFactory.getLogger(FileUserStore.class);

  /** Half of the processors: password guessing must not starve the mail. */
  private static final int MAX_CONCURRENT_HASHES =
      Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  private final WatchedFile<UsersFile> file;
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
  public Optional<User> recentlyProved(String name, String password) {
    ScramCredentials credentials = file.current().credentials(name);
    return passwordCache.contains(credentials.keys(), password)
        ? credentials.user()
        : Optional.empty();
  }

  @Override
  public PasswordCheck checkPassword(String name, String password) {
    ScramCredentials credentials = file.current().credentials(name);
    ScramKeys stored = credentials.keys();
    // the password of an unknown name is hashed too: the answer must take as long
    boolean correct =
        keyDerivation.derive(password, stored.salt(), stored.iterations()).matches(stored);
    if (!correct || credentials.user().isEmpty()) return new PasswordCheck.Wrong();
    passwordCache.add(stored, password);
    return new PasswordCheck.Correct(credentials.user().get());
  }

  @Override
  public int maxConcurrentChecks() {
    return MAX_CONCURRENT_HASHES;
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

  private static UsersFile readUsers(Path path, String text) throws IOException {
    FileExposure.warning(path)
        .ifPresent(warning -> LOG.warn("event=users_file_exposed warning=\"{}\"", warning));
    return UsersFile.read(path, text);
  }
}
