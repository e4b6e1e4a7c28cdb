package org.quorumail.auth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Users of a {@link UsersFile}, which is read again when it has changed. */
final class FileUsers implements Users {
  private static final Logger LOG = LoggerFactory.getLogger(FileUsers.class);

  /** Beyond this a client is better told to come again than kept waiting. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Hashing must leave some of the processor to mail, whoever tries passwords. */
  private static final int HASHES_AT_ONCE =
      Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  private final WatchedFile<UsersFile> file;
  private final Semaphore places = new Semaphore(HASHES_AT_ONCE, true);
  private final ProvedPasswords proved = new ProvedPasswords();
  private final Hash hash;

  /** The slow part, so that a test can count it. */
  interface Hash {
    ScramKeys derive(String password, byte[] salt, int iterations);
  }

  FileUsers(Path path) throws IOException {
    this(path, ScramKeys::derive);
  }

  FileUsers(Path path, Hash hash) throws IOException {
    this.hash = hash;
    this.file =
        new WatchedFile<>(
            path,
            UsersFile.MAX_SIZE,
            "auth.users_file",
            Optional.of(UsersFile.empty()), // closed to all until `quorumail user add` makes one
            FileUsers::readUsers);
  }

  @Override
  public PasswordCheck check(String name, String password) {
    ScramCredentials credentials = file.current().credentials(name);
    ScramKeys stored = credentials.keys();
    boolean right = proved.contains(stored, password);
    if (!right) {
      if (!enter()) return new PasswordCheck.Unavailable("too many logins at once");
      try {
        // a made-up user's password is hashed too: it must take as long
        right = hash.derive(password, stored.salt(), stored.iterations()).sameAs(stored);
      } finally {
        places.release();
      }
    }
    if (!right || credentials.user().isEmpty()) return new PasswordCheck.Wrong();
    proved.add(stored, password);
    return new PasswordCheck.Right(credentials.user().get());
  }

  @Override
  public boolean keepsScramKeys() {
    return true;
  }

  @Override
  public ScramCredentials scram(String name) {
    return file.current().credentials(name);
  }

  @Override
  public Optional<User> known(String name) {
    return file.current().find(name).map(UsersFile.Row::user);
  }

  private boolean enter() {
    try {
      return places.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static UsersFile readUsers(Path path, String text) throws IOException {
    if (Files.getFileStore(path).supportsFileAttributeView("posix")
        && Files.getPosixFilePermissions(path).contains(PosixFilePermission.OTHERS_READ)) {
      LOG.warn("event=users_file_open_to_all file={} do=\"chmod 600\"", path);
    }
    return UsersFile.read(path, text);
  }
}
