package org.quorumail.replication;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The snapshots of one group: directories {@code snapshot-TERM-INDEX} in Ratis' state machine
 * directory, published by a rename. Ratis sends their files in chunks with an MD5 each and, on the
 * receiving side, swaps the whole directory for the one that arrived.
 *
 * <p>The latest snapshot is kept, and each older one while it is pinned because it is sent. A
 * transfer that breaks off leaves its directory with the receiver; Ratis begins the next one in
 * another directory and never deletes the first.
 */
final class SnapshotFiles implements StateMachineStorage {
  /** A sender of snapshots to one follower. */
  interface Sender {
    /** Ends a transfer that the follower does not answer. */
    void checkProgress();
  }

  private static final Logger LOG = LoggerFactory.getLogger(SnapshotFiles.class);

  private static final Pattern NAME = Pattern.compile("snapshot-(\\d+)-(\\d+)");

  /** Ratis names a directory of a transfer by this and the transfer's id. */
  private static final String TRANSFER_PREFIX = "snapshot-";

  /** A sender gives up when a chunk is not answered for some 24 s. */
  private static final Duration TRANSFER_SILENCE_MAX = Duration.ofMinutes(5);

  /** The positions of the snapshots on their way, by sender. */
  private final Map<Sender, TermIndex> pins = new HashMap<>();

  /** The files of the last transfer that are complete and forced. */
  private final Set<Path> forced = new HashSet<>();

  /** Whether a snapshot may have become free to be deleted since the last look. */
  private volatile boolean unpinned;

  private @Nullable Path published;
  private @Nullable Path unfinished;
  private @Nullable Path incoming;

  /** Asked for with every entry that arrives, hence kept. */
  private volatile @Nullable SnapshotInfo latest;

  @Override
  public void init(RaftStorage storage) throws IOException {
    published = storage.getStorageDir().getStateMachineDir().toPath();
    unfinished = storage.getStorageDir().getRoot().toPath().resolve("unfinished-snapshot");
    incoming = storage.getStorageDir().getTmpDir().toPath();
    Files.createDirectories(published);
    FileUtils.deleteFully(unfinished());
    for (Path leftover : transfers()) FileUtils.deleteFully(leftover);
    for (Path leftover : swappedOut()) FileUtils.deleteFully(leftover);
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
      else force(path);
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

  /** Pins the latest snapshot for a sender. */
  @Nullable SnapshotInfo pinLatest(Sender sender) {
    synchronized (pins) {
      SnapshotInfo snapshot = latest;
      if (snapshot != null) pins.put(sender, snapshot.getTermIndex());
      return snapshot;
    }
  }

  void unpin(Sender sender) {
    synchronized (pins) {
      if (!pins.isEmpty() && pins.remove(sender) != null) unpinned = true;
    }
  }

  /** The indexes of the snapshots that are on their way. */
  LongStream pinnedIndexes() {
    synchronized (pins) {
      return LongStream.of(pins.values().stream().mapToLong(TermIndex::getIndex).toArray());
    }
  }

  /** Keeps what is pinned and the latest, whatever the policy; nobody reads another one. */
  @Override
  public void cleanupOldSnapshots(@Nullable SnapshotRetentionPolicy policy) throws IOException {
    for (Path old : unused()) FileUtils.deleteFully(old);
  }

  private List<Path> unused() throws IOException {
    synchronized (pins) {
      SnapshotInfo newest = latest;
      if (newest == null) return List.of();
      return snapshots().stream()
          .filter(path -> index(path) < newest.getIndex())
          .filter(path -> pins.values().stream().noneMatch(pin -> pin.getIndex() == index(path)))
          .toList();
    }
  }

  /** Deletes what transfers have left, here or with the receiver; called every second. */
  void tidy() throws IOException {
    if (unpinned) {
      unpinned = false;
      cleanupOldSnapshots(null);
    }
    List<Sender> senders;
    synchronized (pins) {
      senders = List.copyOf(pins.keySet());
    }
    senders.forEach(Sender::checkProgress);
    try {
      for (Path broken : brokenTransfers(Instant.now())) {
        LOG.info("event=snapshot_transfer_deleted directory={}", broken);
        FileUtils.deleteFully(broken);
      }
      forceArrived();
    } catch (NoSuchFileException | UncheckedIOException e) {
      LOG.debug("event=snapshot_transfer_ended reason=\"{}\"", e.getMessage());
    }
  }

  /**
   * Returns the directories of transfers that were followed by another one, and of the last one
   * when it has been silent for long. Only one transfer at a time is under way.
   */
  List<Path> brokenTransfers(Instant now) throws IOException {
    List<Path> transfers = transfers();
    if (transfers.isEmpty()) return List.of();
    Path last = transfers.getFirst();
    for (Path transfer : transfers)
      if (Files.getLastModifiedTime(transfer).compareTo(Files.getLastModifiedTime(last)) > 0)
        last = transfer;
    List<Path> broken = new ArrayList<>(transfers);
    if (!isSilent(last, now)) broken.remove(last);
    return broken;
  }

  /**
   * Forces the files that have arrived since the last call. The receiver would otherwise force all
   * of a snapshot before it answers the last chunk, for longer than the sender waits.
   */
  private void forceArrived() throws IOException {
    List<Path> transfers = transfers();
    forced.removeIf(path -> transfers.stream().noneMatch(path::startsWith));
    for (Path transfer : transfers)
      for (Path path : tree(transfer))
        if (Files.exists(MD5FileUtil.getDigestFileForFile(path.toFile()).toPath())
            && forced.add(path)) force(path);
  }

  private static void force(Path path) throws IOException {
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.WRITE)) {
      file.force(true);
    }
  }

  private static boolean isSilent(Path transfer, Instant now) throws IOException {
    for (Path path : tree(transfer)) {
      Instant written = Files.getLastModifiedTime(path).toInstant();
      if (written.plus(TRANSFER_SILENCE_MAX).isAfter(now)) return false;
    }
    return true;
  }

  private List<Path> transfers() throws IOException {
    return children(incoming(), TRANSFER_PREFIX);
  }

  /** The directories that Ratis has replaced by an installed snapshot and was to delete. */
  private List<Path> swappedOut() throws IOException {
    return children(
        Objects.requireNonNull(published().getParent()), published().getFileName() + ".tmp");
  }

  private static List<Path> children(Path directory, String prefix) throws IOException {
    if (!Files.isDirectory(directory)) return List.of();
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.filter(path -> path.getFileName().toString().startsWith(prefix)).toList();
    }
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
