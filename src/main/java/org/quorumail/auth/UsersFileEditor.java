package org.quorumail.auth;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.config.TextFile;

/**
 * An editor of a users file for the command line. It replaces the whole file, readable for its
 * owner only, and keeps comments and order. A running node loads the new file within a second.
 * Concurrent editors wait for each other on a lock file beside it.
 */
public final class UsersFileEditor {
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

  private final Path file;

  public UsersFileEditor(Path file) {
    this.file = file;
  }

  /** A row of {@code user list}. */
  public record ListedUser(String name, int iterations, List<String> senders) {}

  /**
   * Adds a user, or replaces the password and addresses of an existing one.
   *
   * @return false when the user exists and {@code replace} is false
   */
  public boolean add(NewUser user, boolean replace) throws IOException {
    String line = user.line(); // slow; outside the lock
    return edit(
        lines -> {
          if (lines.stream().noneMatch(l -> l.startsWith(UsersFile.SECRET))) {
            lines.addFirst(UsersFile.SECRET + " " + newSecret());
          }
          int index = lineIndex(lines, user.name());
          if (index >= 0 && !replace) return false;
          if (index >= 0) lines.set(index, line);
          else lines.add(line);
          return true;
        });
  }

  /**
   * Removes a user.
   *
   * @return false when there is no such user
   */
  public boolean remove(String name) throws IOException {
    Optional<String> prepared = SaslPrep.name(name);
    if (prepared.isEmpty() || !Files.exists(file)) return false;
    return edit(
        lines -> {
          int index = lineIndex(lines, prepared.get());
          if (index >= 0) lines.remove(index);
          return index >= 0;
        });
  }

  /** Lists all users in the order of the file. */
  public List<ListedUser> list() throws IOException {
    String text = text();
    UsersFile users = UsersFile.read(file, text);
    List<ListedUser> listed = new ArrayList<>();
    for (String line : text.lines().toList()) {
      nameOf(line)
          .flatMap(users::find)
          .ifPresent(
              row ->
                  listed.add(
                      new ListedUser(
                          row.user().name(),
                          row.keys().iterations(),
                          row.user().senderPatterns().stream().sorted().toList())));
    }
    return listed;
  }

  private interface LineEdit {
    boolean apply(List<String> lines);
  }

  private boolean edit(LineEdit change) throws IOException {
    Path lock = file.resolveSibling(file.getFileName() + ".lock");
    if (!Files.exists(lock)) createOwnerOnly(lock);
    try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
        FileLock held = channel.lock()) {
      List<String> lines =
          new ArrayList<>(Files.exists(file) ? text().lines().toList() : List.of());
      if (!change.apply(lines)) return false;
      String text = String.join("\n", lines) + "\n";
      UsersFile.read(file, text); // never write a file that a node would refuse
      replace(text);
      return true;
    }
  }

  private String text() throws IOException {
    if (!Files.exists(file)) throw new IOException("there is no users file " + file);
    return TextFile.read(file, UsersFile.MAX_SIZE);
  }

  /** Replaces the file atomically: a power cut leaves the old or the new file, complete. */
  private void replace(String text) throws IOException {
    Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
    Path draft = target.resolveSibling(target.getFileName() + ".tmp");
    Files.deleteIfExists(draft);
    Files.createFile(draft, OWNER_ONLY);
    if (Files.exists(target)) takeOwner(target, draft);
    try (FileChannel out = FileChannel.open(draft, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
      while (bytes.hasRemaining()) out.write(bytes);
      out.force(true);
    }
    Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    try (FileChannel directory = FileChannel.open(target.resolveSibling("."))) {
      directory.force(true);
    }
  }

  /** Keeps the owner: root edits the file of the node's user, who must be able to read it. */
  private static void takeOwner(Path from, Path to) throws IOException {
    PosixFileAttributes old = Files.readAttributes(from, PosixFileAttributes.class);
    PosixFileAttributes mine = Files.readAttributes(to, PosixFileAttributes.class);
    if (!old.owner().equals(mine.owner())) Files.setOwner(to, old.owner());
  }

  private static void createOwnerOnly(Path lock) throws IOException {
    try {
      Files.createFile(lock, OWNER_ONLY);
    } catch (java.nio.file.FileAlreadyExistsException e) {
      // another editor has created it
    } catch (java.nio.file.NoSuchFileException e) {
      throw new IOException("there is no directory for " + lock, e);
    }
  }

  private static int lineIndex(List<String> lines, String name) {
    for (int i = 0; i < lines.size(); i++) {
      if (nameOf(lines.get(i)).equals(Optional.of(name))) return i;
    }
    return -1;
  }

  private static Optional<String> nameOf(String line) {
    String first = line.strip().split("\\s+")[0];
    boolean user = !first.isEmpty() && "#%".indexOf(first.charAt(0)) < 0;
    return user ? SaslPrep.name(first) : Optional.empty();
  }

  private static String newSecret() {
    byte[] secret = new byte[UsersFile.SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    return Base64.getEncoder().encodeToString(secret);
  }
}
