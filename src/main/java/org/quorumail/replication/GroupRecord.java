package org.quorumail.replication;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.ratis.protocol.RaftGroupId;

/**
 * The record of the groups that this node has opened. The file {@code raft.groups} lies beside the
 * replication directory and so survives its loss. A member that lost its log has forgotten its
 * votes and the entries that it acknowledged. Under its old peer id it could elect a second leader
 * or drop committed mail, so it must not start.
 *
 * <p>The file has a version and one group id per line. A group is added after its directory is on
 * disk, so a crash in between leaves a directory without a record, which the next start adds.
 */
final class GroupRecord {
  private static final String VERSION = "1";

  private final Path file;
  private final Set<UUID> groups;

  private GroupRecord(Path file, Set<UUID> groups) {
    this.file = file;
    this.groups = groups;
  }

  /** Reads the record beside a replication directory; empty when there is none. */
  static GroupRecord read(Path directory) throws RaftStartException {
    Path file = directory.resolveSibling(directory.getFileName() + ".groups");
    if (!Files.exists(file)) return new GroupRecord(file, new TreeSet<>());
    try {
      List<String> lines = Files.readAllLines(file);
      if (lines.isEmpty() || !lines.getFirst().equals(VERSION))
        throw new IllegalArgumentException("its first line is not the version " + VERSION);
      return new GroupRecord(
          file,
          lines.stream()
              .skip(1)
              .map(UUID::fromString)
              .collect(Collectors.toCollection(TreeSet::new)));
    } catch (IOException | IllegalArgumentException e) {
      throw new RaftStartException(
          "The record of groups %s cannot be read (%s); restore it from a copy of the disk."
              .formatted(file, e.getMessage()),
          e);
    }
  }

  boolean isEmpty() {
    return groups.isEmpty();
  }

  synchronized boolean contains(RaftGroupId group) {
    return groups.contains(group.getUuid());
  }

  /** Adds a group and has it on disk before the return. */
  synchronized void add(RaftGroupId group) throws IOException {
    if (groups.add(group.getUuid())) write();
  }

  /** Removes a group that was given up, and has that on disk before the return. */
  synchronized void remove(RaftGroupId group) throws IOException {
    if (groups.remove(group.getUuid())) write();
  }

  private void write() throws IOException {
    String lines =
        Stream.concat(Stream.of(VERSION), groups.stream().map(UUID::toString))
            .collect(Collectors.joining("\n", "", "\n"));
    DurableFile.replace(file, lines.getBytes(StandardCharsets.UTF_8));
  }
}
