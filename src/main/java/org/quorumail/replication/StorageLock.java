package org.quorumail.replication;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The claim of one node to its replication directory: a lock against a second process, and a file
 * that names the owner of the directory. A replica under another name would break its votes.
 */
final class StorageLock implements Closeable {
  static final String OWNER_FILE = "owner";

  private final FileChannel lock;

  private StorageLock(FileChannel lock) {
    this.lock = lock;
  }

  static StorageLock claim(Path directory, String clusterId, String peerId)
      throws RaftStartException {
    try {
      Files.createDirectories(directory);
      StorageLock owner = new StorageLock(lock(directory));
      try {
        check(directory, "1 " + clusterId + " " + peerId + "\n");
        return owner;
      } catch (IOException | RaftStartException e) {
        owner.close();
        throw e;
      }
    } catch (IOException e) {
      throw new RaftStartException(
          "The replication directory "
              + directory
              + " cannot be used ("
              + e
              + "); make it writable.",
          e);
    }
  }

  /** The owner as the directory names it. */
  record Owner(String clusterId, String peerId) {}

  /** Reads the owner; empty when nobody has claimed the directory. */
  static Optional<Owner> owner(Path directory) throws IOException {
    Path file = directory.resolve(OWNER_FILE);
    if (!Files.exists(file)) return Optional.empty();
    String[] parts = Files.readString(file).strip().split(" ", -1);
    if (parts.length != 3 || !parts[0].equals("1")) return Optional.empty(); // refused by claim
    return Optional.of(new Owner(parts[1], parts[2]));
  }

  private static FileChannel lock(Path directory) throws IOException, RaftStartException {
    FileChannel channel =
        FileChannel.open(
            directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() != null) return channel;
    } catch (OverlappingFileLockException e) {
      // Held in this very process: the same as held by another one.
    }
    channel.close();
    throw new RaftStartException(
        "The replication directory "
            + directory
            + " is in use by another running node; stop it or choose another directory.");
  }

  private static void check(Path directory, String claim) throws IOException, RaftStartException {
    Path file = directory.resolve(OWNER_FILE);
    if (!Files.exists(file)) {
      if (hasGroups(directory))
        throw new RaftStartException(
            "The replication directory "
                + directory
                + " holds groups but no record of its owner; it belongs to something else or is"
                + " damaged; choose another directory.");
      DurableFile.replace(file, claim.getBytes(StandardCharsets.UTF_8));
      return;
    }
    String found = Files.readString(file);
    if (!found.equals(claim))
      throw new RaftStartException(
          "The replication directory "
              + directory
              + " belongs to \""
              + found.strip()
              + "\" (version, cluster, node), not to \""
              + claim.strip()
              + "\"; choose another directory or the right node id.");
  }

  private static boolean hasGroups(Path directory) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.anyMatch(Files::isDirectory);
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
