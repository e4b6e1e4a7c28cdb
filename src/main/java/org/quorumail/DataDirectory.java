package org.quorumail;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.quorumail.replication.DurableFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The node's directory: locked against a second process, and marked with the node's identity, so
 * that it is never taken for another node's or written over.
 */
final class DataDirectory implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(DataDirectory.class);

  /** Raised when the layout changes in a way that older programs would damage. */
  private static final int FORMAT = 1;

  private static final String IDENTITY = "node.json";
  private static final String LOCK = "lock";
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Pattern NODE_ID =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?");

  /** What others in the directory before the first start are no reason to refuse it. */
  private static final Set<String> HARMLESS = Set.of(LOCK, "lost+found", "control.sock", "cds.jsa");

  private final Path path;
  private final FileChannel lockFile;
  private final Identity identity;

  /**
   * @param peerId the node's name in Raft; its random part is lost with the directory, so a wiped
   *     node cannot vote twice in one term
   */
  record Identity(int format, String nodeId, String peerId) {}

  private DataDirectory(Path path, FileChannel lockFile, Identity identity) {
    this.path = path;
    this.lockFile = lockFile;
    this.identity = identity;
  }

  /** Opens the directory, making and marking it at the first start. */
  static DataDirectory open(Path path, Optional<String> configuredId) throws StartFailure {
    Path absolute = path.toAbsolutePath().normalize();
    FileChannel lock = null;
    try {
      if (!Files.exists(absolute)) {
        Files.createDirectories(
            absolute,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      if (!Files.isDirectory(absolute)) {
        throw new StartFailure("node.data_directory: %s is not a directory".formatted(absolute));
      }
      lock = lock(absolute);
      return new DataDirectory(absolute, lock, identity(absolute, configuredId));
    } catch (IOException e) {
      release(lock);
      throw new StartFailure(
          "node.data_directory: %s cannot be written (%s); give the node a directory of its own"
              .formatted(absolute, reason(e)),
          e);
    } catch (StartFailure e) {
      release(lock);
      throw e;
    }
  }

  Path path() {
    return path;
  }

  Identity identity() {
    return identity;
  }

  @Override
  public void close() {
    release(lockFile);
  }

  private static FileChannel lock(Path directory) throws IOException, StartFailure {
    FileChannel channel =
        FileChannel.open(
            directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!locked(channel)) {
      channel.close();
      throw new StartFailure(
          "node.data_directory: %s is in use by another process; stop it or name another directory"
              .formatted(directory));
    }
    return channel;
  }

  /** The lock lives as long as the channel is open; the kernel drops it with the process. */
  private static boolean locked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private static Identity identity(Path directory, Optional<String> configuredId)
      throws IOException, StartFailure {
    Path file = directory.resolve(IDENTITY);
    if (!Files.exists(file)) return mark(directory, file, configuredId);
    Identity identity;
    try {
      identity = JSON.readValue(Files.readAllBytes(file), Identity.class);
    } catch (JacksonException e) {
      throw new StartFailure(
          "node.data_directory: %s is damaged; restore it, it names this node's vote"
              .formatted(file),
          e);
    }
    if (identity.format() != FORMAT) {
      throw new StartFailure(
          "node.data_directory: %s was written in format %d, this version knows format %d"
              .formatted(directory, identity.format(), FORMAT));
    }
    if (configuredId.isPresent() && !configuredId.get().equals(identity.nodeId())) {
      throw StartFailure.ofConfiguration(
          "node.id: %s belongs to %s, not to %s; correct node.id or node.data_directory"
              .formatted(directory, identity.nodeId(), configuredId.get()));
    }
    return identity;
  }

  private static Identity mark(Path directory, Path file, Optional<String> configuredId)
      throws IOException, StartFailure {
    try (Stream<Path> entries = Files.list(directory)) {
      Optional<String> foreign =
          entries
              .map(p -> p.getFileName().toString())
              .filter(name -> !HARMLESS.contains(name) && !name.endsWith(".sock"))
              .findFirst();
      if (foreign.isPresent()) {
        throw StartFailure.ofConfiguration(
            "node.data_directory: %s holds %s and is not Quorumail's; name an empty directory"
                .formatted(directory, foreign.get()));
      }
    }
    byte[] random = new byte[4];
    new SecureRandom().nextBytes(random);
    String suffix = HexFormat.of().formatHex(random);
    String nodeId = configuredId.orElse("node-" + suffix);
    if (!NODE_ID.matcher(nodeId).matches()) {
      throw StartFailure.ofConfiguration(
          "node.id: %s is not a name of letters, digits, dots, dashes, 63 at most"
              .formatted(nodeId));
    }
    Identity identity = new Identity(FORMAT, nodeId, nodeId + "-" + suffix);
    DurableFile.replace(file, JSON.writeValueAsBytes(identity));
    return identity;
  }

  private static String reason(IOException e) {
    return e instanceof AccessDeniedException
        ? "permission denied"
        : String.valueOf(e.getMessage());
  }

  private static void release(@Nullable FileChannel lock) {
    if (lock == null) return;
    try {
      lock.close();
    } catch (IOException e) {
      // the lock ends with the process at the latest
      log.debug("lock_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
