package org.quorumail.replication;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.thirdparty.com.google.protobuf.InvalidProtocolBufferException;

/**
 * A check of the files that Ratis keeps of a group beside its log: its term and vote, and its
 * members. It runs before Ratis opens the group. Both files are written beside, forced and renamed,
 * so no crash leaves a partial one; an unreadable file was damaged afterwards. Ratis itself ignores
 * unreadable members and takes a group without a vote for a new one.
 */
final class GroupMetadataCheck {
  private static final String VOTE = "raft-meta";
  private static final String MEMBERS = "raft-meta.conf";

  private final Path directory;
  private final boolean openedBefore;

  /**
   * @param directory with the segments and these two files; may be absent at the first start
   * @param openedBefore whether this node has been a member of the group
   */
  GroupMetadataCheck(Path directory, boolean openedBefore) {
    this.directory = directory;
    this.openedBefore = openedBefore;
  }

  void check() throws IOException {
    if (!Files.isDirectory(directory)) {
      if (openedBefore) throw damaged("its log, term and vote in %s are gone".formatted(directory));
      return;
    }
    Path vote = directory.resolve(VOTE);
    if (Files.exists(vote)) checkVote(vote);
    else if (openedBefore || hasSegments())
      throw damaged("the term and vote in %s are gone".formatted(vote));
    Path members = directory.resolve(MEMBERS);
    if (Files.exists(members)) checkMembers(members);
  }

  private static void checkVote(Path file) throws IOException {
    Properties vote = new Properties();
    try (InputStream in = Files.newInputStream(file)) {
      vote.load(in);
      boolean whole = vote.containsKey("votedFor") && Long.parseLong(vote.getProperty("term")) >= 0;
      if (whole) return;
    } catch (IllegalArgumentException e) {
      // not a term: reported below
    }
    throw damaged("the term and vote in %s are damaged".formatted(file));
  }

  private static void checkMembers(Path file) throws IOException {
    try {
      if (LogEntryProto.parseFrom(Files.readAllBytes(file)).hasConfigurationEntry()) return;
    } catch (InvalidProtocolBufferException e) {
      // reported below
    }
    throw damaged("the members in %s are damaged".formatted(file));
  }

  private boolean hasSegments() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.anyMatch(f -> f.getFileName().toString().startsWith("log_"));
    }
  }

  private static DamagedStorageException damaged(String sentence) {
    return new DamagedStorageException(sentence);
  }
}
