package org.quorumail.replication;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.SnapshotRetentionPolicy;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.impl.FileListSnapshotInfo;
import org.apache.ratis.util.FileUtils;
import org.apache.ratis.util.MD5FileUtil;
import org.jspecify.annotations.Nullable;

/**
 * The snapshots of one group: directories {@code snapshot-TERM-INDEX} in Ratis' state machine
 * directory, published by a rename. Ratis sends their files in chunks with an MD5 each and, on the
 * receiving side, swaps the whole directory for the one that arrived.
 */
final class SnapshotFiles implements StateMachineStorage {
  private static final Pattern NAME = Pattern.compile("snapshot-(\\d+)-(\\d+)");

  /** Whether there is no other member to which an older snapshot may be on its way. */
  private final BooleanSupplier onlyMember;

  private @Nullable Path published;
  private @Nullable Path unfinished;
  private @Nullable Path incoming;

  /** Asked for with every entry that arrives, hence kept. */
  private volatile @Nullable SnapshotInfo latest;

  SnapshotFiles(BooleanSupplier alone) {
    this.onlyMember = alone;
  }

  @Override
  public void init(RaftStorage storage) throws IOException {
    published = storage.getStorageDir().getStateMachineDir().toPath();
    unfinished = storage.getStorageDir().getRoot().toPath().resolve("unfinished-snapshot");
    incoming = storage.getStorageDir().getTmpDir().toPath();
    Files.createDirectories(published);
    FileUtils.deleteFully(unfinished());
    reload();
  }

  @Override
  public @Nullable SnapshotInfo getLatestSnapshot() {
    return latest;
  }

  @Override
  public void format() {
    // Nothing of ours is outside Ratis' directory.
  }

  /** An empty directory to write a snapshot into. */
  Path begin() throws IOException {
    FileUtils.deleteFully(unfinished());
    return Files.createDirectory(unfinished());
  }

  /** Makes what was written since {@link #begin} the latest snapshot. */
  void publish(LogPosition position) throws IOException {
    Path target = published().resolve("snapshot-" + position.term() + "-" + position.index());
    FileUtils.deleteFully(target);
    Files.move(unfinished(), target, StandardCopyOption.ATOMIC_MOVE);
    DurableFile.forceDirectory(published());
    reload();
  }

  /**
   * Forces the files that Ratis has received. It does not do so itself, yet reports the snapshot to
   * the leader as held, and the leader counts that towards a quorum.
   */
  void forceIncoming() throws IOException {
    if (!Files.isDirectory(incoming())) return;
    for (Path path : tree(incoming())) {
      if (Files.isDirectory(path)) DurableFile.forceDirectory(path);
      else
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
          file.force(true);
        }
    }
  }

  /** Looks at the directory again, after Ratis has swapped it. */
  void reload() throws IOException {
    Optional<Path> newest =
        snapshots().stream().max(Comparator.comparingLong(SnapshotFiles::index));
    latest = newest.isPresent() ? snapshotInfo(newest.get()) : null;
  }

  /** The directory of the latest snapshot, without the checksum files that Ratis leaves there. */
  Path latestDirectory() throws IOException {
    SnapshotInfo snapshot = latest;
    if (snapshot == null) throw new IOException("there is no snapshot in " + published());
    Path directory =
        published().resolve("snapshot-" + snapshot.getTerm() + "-" + snapshot.getIndex());
    for (Path path : tree(directory))
      if (path.toString().endsWith(MD5FileUtil.MD5_SUFFIX)) Files.delete(path);
    DurableFile.forceDirectory(published());
    return directory;
  }

  @Override
  public void cleanupOldSnapshots(SnapshotRetentionPolicy policy) throws IOException {
    List<Path> oldestLast = new ArrayList<>(snapshots());
    oldestLast.sort(Comparator.comparingLong(SnapshotFiles::index).reversed());
    int kept = onlyMember.getAsBoolean() ? 1 : policy.getNumSnapshotsRetained();
    for (Path old : oldestLast.stream().skip(kept).toList()) FileUtils.deleteFully(old);
  }

  private List<Path> snapshots() throws IOException {
    try (Stream<Path> paths = Files.list(published())) {
      return paths.filter(path -> NAME.matcher(path.getFileName().toString()).matches()).toList();
    }
  }

  private static SnapshotInfo snapshotInfo(Path directory) throws IOException {
    Matcher name = NAME.matcher(directory.getFileName().toString());
    if (!name.matches()) throw new IOException("not the name of a snapshot: " + directory);
    List<FileInfo> files = new ArrayList<>();
    for (Path path : tree(directory))
      if (Files.isRegularFile(path) && !path.toString().endsWith(MD5FileUtil.MD5_SUFFIX))
        files.add(new FileInfo(path, null));
    TermIndex position =
        TermIndex.valueOf(Long.parseLong(name.group(1)), Long.parseLong(name.group(2)));
    return new FileListSnapshotInfo(files, position);
  }

  private static long index(Path snapshot) {
    String name = snapshot.getFileName().toString();
    return Long.parseLong(name.substring(name.lastIndexOf('-') + 1));
  }

  private static List<Path> tree(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      return paths.sorted().toList();
    }
  }

  private Path published() {
    return initialized(published);
  }

  private Path unfinished() {
    return initialized(unfinished);
  }

  private Path incoming() {
    return initialized(incoming);
  }

  private static Path initialized(@Nullable Path path) {
    if (path == null) throw new IllegalStateException("the group's storage is not open yet");
    return path;
  }

  /** Ratis' default place, which its sender and receiver agree on. */
  @Override
  public @Nullable File getSnapshotDir() {
    return null;
  }
}
