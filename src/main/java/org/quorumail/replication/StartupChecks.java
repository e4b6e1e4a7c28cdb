package org.quorumail.replication;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.io.CorruptedFileException;
import org.apache.ratis.protocol.exceptions.ChecksumException;
import org.apache.ratis.util.AtomicFileOutputStream;

/** The checks before a node starts, and the messages when it or one of its groups cannot start. */
final class StartupChecks {
  private StartupChecks() {}

  static void check(RaftSettings settings, RaftProperties properties) throws RaftStartException {
    checkClassPathOrder();
    PinnedProperties.checkFlushIsSafe(properties);
    switch (settings.tls()) {
      case RaftTls.NoPort none -> {}
      case RaftTls.Managers managers ->
          checkPortIsFree(resolve(settings.bindHost()), settings.port());
    }
  }

  /**
   * Refuses a directory that is gone, empty or not mounted although this node has opened groups in
   * it. Nothing is written there before.
   */
  static void checkDirectoryIsThere(Path directory, GroupRecord record) throws RaftStartException {
    if (record.isEmpty() || Files.exists(directory.resolve(StorageLock.OWNER_FILE))) return;
    throw new RaftStartException(
        "The replication directory "
            + directory
            + " is gone or empty, but this node has votes and mail in it; nothing was changed:"
            + " mount it or restore it from a copy of the disk; docs/troubleshoot.md says under"
            + " \"A disk is lost\" what to do without a copy.");
  }

  /** A node without a port can be no member of a group with others. */
  static void checkMembers(RaftSettings settings, GroupSpec group) throws RaftStartException {
    if (!(settings.tls() instanceof RaftTls.NoPort)) return;
    boolean alone =
        group.members().size() == 1 && group.members().getFirst().id().equals(settings.peerId());
    if (!alone)
      throw new RaftStartException(
          "Group "
              + group.name()
              + " has other members than this node, which stands alone: replication with them"
              + " needs mutual TLS.");
  }

  /** Ours forces the directory after Ratis has renamed its vote; the library's does not. */
  private static void checkClassPathOrder() throws RaftStartException {
    var ours = StartupChecks.class.getProtectionDomain().getCodeSource();
    var loaded = AtomicFileOutputStream.class.getProtectionDomain().getCodeSource();
    if (!Objects.equals(ours, loaded))
      throw new RaftStartException(
          "The class path is in the wrong order: "
              + AtomicFileOutputStream.class.getName()
              + " must come from Quorumail's jar, which must stand before the libraries.");
  }

  /** Ratis ends the whole process when it cannot bind. */
  private static void checkPortIsFree(InetAddress host, int port) throws RaftStartException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(host, port));
    } catch (IOException e) {
      throw new RaftStartException(
          "The replication port "
              + host.getHostAddress()
              + ":"
              + port
              + " cannot be bound ("
              + e.getMessage()
              + "); stop what uses it or set another cluster.raft_port.",
          e);
    }
  }

  private static InetAddress resolve(String host) throws RaftStartException {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new RaftStartException("The address to bind, " + host + ", is not known.", e);
    }
  }

  static RaftStartException explain(RaftSettings settings, Exception failure) {
    return new RaftStartException(
        "The replication in "
            + settings.directory()
            + " cannot start: "
            + describe(root(failure))
            + ".",
        failure);
  }

  static RaftStartException explain(GroupSpec group, Path directory, Exception failure) {
    Throwable root = root(failure);
    String where = "Group " + group.name() + " in " + directory;
    if (isDamage(failure)) {
      String cure =
          group.members().size() > 1
              ? "restore it from a copy of the disk; the other replicas have the mail and go on,"
                  + " and docs/troubleshoot.md says under \"A disk is lost\" what to do"
                  + " without a copy."
              : "restore it from a copy of the disk; this node has the only replica.";
      return new RaftStartException(
          "Group %s cannot be opened: %s; nothing was changed: %s"
              .formatted(group.name(), damage(failure, directory), cure),
          failure);
    }
    return new RaftStartException(where + " cannot be opened: " + describe(root) + ".", failure);
  }

  /** The sentence of the check that found the damage, else the root cause. */
  private static String damage(Throwable failure, Path directory) {
    for (Throwable t = failure; t != null; t = t.getCause())
      if (t instanceof DamagedStorageException) return String.valueOf(t.getMessage());
    return directory + " is damaged (" + describe(root(failure)) + ")";
  }

  private static boolean isDamage(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause())
      if (t instanceof DamagedStorageException
          || t instanceof CorruptedFileException
          || t instanceof ChecksumException
          || t instanceof FileNotFoundException
          || String.valueOf(t.getMessage()).contains("orrupt")) return true;
    return false;
  }

  private static Throwable root(Throwable failure) {
    Throwable root = failure;
    for (int depth = 0; root.getCause() != null && depth < 20; depth++) root = root.getCause();
    return root;
  }

  private static String describe(Throwable root) {
    String message = root.getMessage();
    return message == null || message.isBlank() ? root.getClass().getSimpleName() : message;
  }
}
