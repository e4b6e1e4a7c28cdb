package org.quorumail.delivery.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.quorumail.mail.MailAddress;

/**
 * The path of a mailbox, with {@code {user}}, {@code {domain}} or {@code {recipient}} in it. A name
 * that comes from an address never leads out of the fixed part of the path.
 */
public record MailboxPath(String template) {
  static final FileAttribute<Set<PosixFilePermission>> FILE_MODE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private static final FileAttribute<Set<PosixFilePermission>> DIRECTORY_MODE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  /**
   * Reads the path after the kind of mailbox.
   *
   * @throws IllegalArgumentException with the problem as its message
   */
  public static MailboxPath parse(String kind, String text) {
    AddressPlaceholders.check(text, Set.of("user", "domain", "recipient"));
    if (!text.startsWith("/") || text.endsWith("/") || text.contains("/../"))
      throw new IllegalArgumentException(
          "must be \"" + kind + ":/absolute/path/{user}\", not \"" + kind + ":" + text + "\"");
    return new MailboxPath(text);
  }

  /** The directory that an operator creates: the part of the path before the first name. */
  private Path base() {
    int brace = template.indexOf('{');
    String fixed = brace < 0 ? template : template.substring(0, brace);
    return Path.of(fixed.substring(0, Math.max(1, fixed.lastIndexOf('/'))));
  }

  /** Returns the path for an address; empty when a name of it cannot be the name of a file. */
  Optional<Path> resolve(MailAddress address) {
    AddressPlaceholders names = AddressPlaceholders.of(address.canonical());
    if (!names.areFileNames(template)) return Optional.empty();
    try {
      Path path = Path.of(names.expandToLowerCase(template)).normalize();
      return path.startsWith(base()) && !path.equals(base()) ? Optional.of(path) : Optional.empty();
    } catch (InvalidPathException e) { // not in the character set of the file system
      return Optional.empty();
    }
  }

  /**
   * Creates the directories of a mailbox below the fixed part, which must exist: a disk that is not
   * mounted must not be mistaken for an empty one. No link is followed below it.
   */
  void createDirectories(Path directory, MailboxAccount account) throws IOException {
    Path at = base();
    if (!Files.isDirectory(at)) throw new IOException("the directory " + at + " does not exist");
    for (Path name : at.relativize(directory)) {
      if (name.toString().isEmpty()) continue;
      at = at.resolve(name);
      if (Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) continue;
      if (Files.exists(at, LinkOption.NOFOLLOW_LINKS))
        throw new IOException(at + " is not a directory");
      createDirectory(at, account);
    }
  }

  private static void createDirectory(Path directory, MailboxAccount account) throws IOException {
    try {
      Files.createDirectory(directory, DIRECTORY_MODE);
    } catch (java.nio.file.FileAlreadyExistsException e) {
      return; // another delivery was faster
    }
    account.give(directory);
    LocalFiles.force(LocalFiles.parent(directory));
  }
}
