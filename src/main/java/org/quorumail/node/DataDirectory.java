package org.quorumail.node;

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
 * The data directory of a node. It is locked against a second process. It is marked with the
 * identity of the node, so that it is never taken for another node's directory or overwritten.
 */
public final class DataDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DataDirectory.class);

  /**
   * The format version; raised when the layout changes in a way that older programs would damage.
   */
  private static final int FORMAT = 1;

  /** The name of the replication directory in it. */
  static final String RAFT = "raft";

  private static final String IDENTITY = "node.json";
  private static final String LOCK = "lock";
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Pattern NODE_ID =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?");

  /** Files that may be in the directory before the first start. */
  private static final Set<String> IGNORED_FILES =
      Set.of(LOCK, "lost+found", "control.sock", "cds.jsa");

  private final Path path;
  private final FileChannel lockFile;
  private final StoredIdentity identity;

  /**
   * The identity of the node, kept in {@code node.json}.
   *
   * @param peerId the node's name in Raft; its random part is lost with the directory, so a wiped
   *     node cannot vote twice in one term
   */
  public record StoredIdentity(int format, String nodeId, String peerId) {}

  private DataDirectory(Path path, FileChannel lockFile, StoredIdentity identity) {
    this.path = path;
    this.lockFile = lockFile;
    this.identity = identity;
  }

  /** Opens the directory; creates and marks it at the first start. */
  public static DataDirectory open(Path path, Optional<String> configuredId)
      throws NodeStartException {
    Path absolute = path.toAbsolutePath().normalize();
    FileChannel lock = null;
    try {
      if (!Files.exists(absolute)) {
        Files.createDirectories(
            absolute,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
      if (!Files.isDirectory(absolute)) {
        throw new NodeStartException(
            "node.data_directory: %s is not a directory".formatted(absolute));
      }
      lock = lock(absolute);
      return new DataDirectory(absolute, lock, identity(absolute, configuredId));
    } catch (IOException e) {
      release(lock);
      throw new NodeStartException(
          "node.data_directory: %s cannot be written (%s); give the node a directory of its own"
              .formatted(absolute, reason(e)),
          e);
    } catch (NodeStartException e) {
      release(lock);
      throw e;
    }
  }

  public Path path() {
    return path;
  }

  public StoredIdentity identity() {
    return identity;
  }

  @Override
  public void close() {
    release(lockFile);
  }

  private static FileChannel lock(Path directory) throws IOException, NodeStartException {
    FileChannel channel =
        FileChannel.open(
            directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!locked(channel)) {
      channel.close();
      throw new NodeStartException(
          "node.data_directory: %s is in use by another process; stop it or name another directory"
              .formatted(directory));
    }
    return channel;
  }

  /**
   * Locks the directory. The lock lives as long as the channel is open; the kernel drops it with
   * the process.
   */
  private static boolean locked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  private static StoredIdentity identity(Path directory, Optional<String> configuredId)
      throws IOException, NodeStartException {
    Path file = directory.resolve(IDENTITY);
    if (!Files.exists(file)) return initialize(directory, file, configuredId);
    StoredIdentity identity;
    try {
      identity = JSON.readValue(Files.readAllBytes(file), StoredIdentity.class);
    } catch (JacksonException e) {
      throw new NodeStartException(
          "node.data_directory: %s is damaged; restore it: it holds the name under which this node votes"
              .formatted(file),
          e);
    }
    if (identity.format() != FORMAT) {
      throw new NodeStartException(
          "node.data_directory: %s was written in format %d, this version knows format %d"
              .formatted(directory, identity.format(), FORMAT));
    }
    if (configuredId.isPresent() && !configuredId.get().equals(identity.nodeId())) {
      throw NodeStartException.ofConfiguration(
          "node.id: %s belongs to %s, not to %s; correct node.id or node.data_directory"
              .formatted(directory, identity.nodeId(), configuredId.get()));
    }
    return identity;
  }

  private static StoredIdentity initialize(Path directory, Path file, Optional<String> configuredId)
      throws IOException, NodeStartException {
    try (Stream<Path> entries = Files.list(directory)) {
      Optional<String> foreign =
          entries
              .map(p -> p.getFileName().toString())
              .filter(name -> !IGNORED_FILES.contains(name) && !name.endsWith(".sock"))
              .findFirst();
      if (foreign.isPresent()) {
        throw NodeStartException.ofConfiguration(
            "node.data_directory: %s contains %s, which Quorumail did not write; name an empty directory"
                .formatted(directory, foreign.get()));
      }
    }
    byte[] random = new byte[4];
    new SecureRandom().nextBytes(random);
    String suffix = HexFormat.of().formatHex(random);
    String nodeId = configuredId.orElse("node-" + suffix);
    if (!NODE_ID.matcher(nodeId).matches()) {
      throw NodeStartException.ofConfiguration(
          "node.id: %s is not a name of letters, digits, dots, dashes, 63 at most"
              .formatted(nodeId));
    }
    StoredIdentity identity = new StoredIdentity(FORMAT, nodeId, nodeId + "-" + suffix);
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
      LOG.debug("event=lock_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
