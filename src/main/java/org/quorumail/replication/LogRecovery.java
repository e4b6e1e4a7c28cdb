package org.quorumail.replication;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The recovery of a group's log before Ratis opens it: it distinguishes a torn tail from damage.
 * Ratis itself refuses a tail that a power cut left partly written among the filler. Where a
 * damaged length points beyond the end of the file, Ratis silently truncates the log.
 *
 * <p>The last record of the open segment is torn when no complete record follows and its missing
 * part looks like an interrupted write. Either the file ends inside the record, or sectors of it
 * still have the filler's zeros. Such a record was never forced, so never acknowledged, and is
 * truncated, unless the state has applied it, which no torn record ever was. Any other mismatch of
 * a checksum was changed after it was written: {@link DamagedStorageException}, and no file is
 * touched.
 *
 * <p>Records that were written but not yet forced reach the disk in any order, so complete records
 * can follow a torn one. That is a torn batch, and truncated too, when the torn record is after the
 * {@link ForcedPosition} and the complete ones can belong to the same batch. Records up to the
 * forced position were acknowledged: whatever is wrong with them is damage.
 */
final class LogRecovery {
  private static final Logger LOG = LoggerFactory.getLogger(LogRecovery.class);

  private static final Pattern SEGMENT = Pattern.compile("log_(\\d+-\\d+|inprogress_\\d+)");
  private static final String OPEN = "log_inprogress_";
  private static final int HEADER_BYTES = 8; // "RaftLog" and a version
  private static final int SECTOR_BYTES = 512; // disks write these whole or not at all

  private final Path segments;
  private final long forced;

  /**
   * @param segments the directory of one group's segments; may be absent
   */
  LogRecovery(Path segments) {
    this(segments, ForcedPosition.UNKNOWN);
  }

  /**
   * @param forced the last index that is known to be forced, see {@link ForcedPosition}
   */
  LogRecovery(Path segments, long forced) {
    this.segments = segments;
    this.forced = forced;
  }

  /**
   * Truncates a torn tail.
   *
   * @param applied index of the last entry that the state has; -1 for none
   * @return the entries that the log has
   */
  Extent recover(long applied) throws IOException {
    if (!Files.isDirectory(segments)) return Extent.NONE;
    List<Path> files;
    try (Stream<Path> listed = Files.list(segments)) {
      files =
          listed
              .filter(f -> SEGMENT.matcher(f.getFileName().toString()).matches())
              .sorted()
              .toList();
    }
    Extent log = Extent.NONE;
    for (Path file : files) log = log.plus(recover(file, applied));
    return log;
  }

  /**
   * The entries of a log by their indexes.
   *
   * @param last below {@code first} when there is none
   */
  record Extent(long first, long last) {
    static final Extent NONE = new Extent(Long.MAX_VALUE, -1);

    boolean isEmpty() {
      return last < first;
    }

    private Extent plus(Extent segment) {
      return segment.isEmpty()
          ? this
          : new Extent(Math.min(first, segment.first), Math.max(last, segment.last));
    }
  }

  private Extent recover(Path file, long applied) throws IOException {
    String name = file.getFileName().toString();
    boolean open = name.startsWith(OPEN);
    long before = Long.parseLong(name.replaceAll("[^\\d]+(\\d+).*", "$1")) - 1;
    Scan scan;
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
        Arena arena = Arena.ofConfined()) {
      if (channel.size() == 0 && open) return Extent.NONE;
      ByteBuffer segment =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asByteBuffer();
      scan = scan(segment, before);
      if (scan.intact) return new Extent(before + 1, scan.index);
      boolean isAcknowledged =
          scan.index < applied || (forced != ForcedPosition.UNKNOWN && scan.index < forced);
      if (!open || isAcknowledged || !isTorn(segment, scan)) throw damaged(file, scan);
    }
    truncate(file, scan.end);
    return new Extent(before + 1, scan.index);
  }

  /**
   * @param end behind the last complete record
   * @param index of that record, or of the last one of the segment before
   * @param intact whether only filler follows
   */
  private record Scan(int end, long index, boolean intact) {}

  private static Scan scan(ByteBuffer segment, long before) {
    int at = Math.min(HEADER_BYTES, segment.limit());
    long index = before;
    while (at < segment.limit() && segment.get(at) != 0) {
      Optional<LogRecord> next = LogRecord.at(segment, at);
      boolean fits =
          next.isPresent() && next.get().checksumValid() && next.get().index() == index + 1;
      if (!fits) return new Scan(at, index, false);
      at = next.get().end();
      index = next.get().index();
    }
    return new Scan(at, index, isZero(segment, at, segment.limit()));
  }

  private boolean isTorn(ByteBuffer segment, Scan scan) {
    long next = lastRecordAfter(segment, scan);
    boolean isOneBatch = next <= scan.index + PinnedProperties.ENTRIES_PER_FORCE;
    if (next >= 0 && (forced == ForcedPosition.UNKNOWN || !isOneBatch)) return false;
    if (segment.get(scan.end) == 0) return true; // its first sector did not arrive, a later one did
    Optional<LogRecord> last = LogRecord.at(segment, scan.end);
    if (last.isEmpty() || last.get().index() != scan.index + 1) return false;
    return last.get().end() > segment.limit() || lacksSector(segment, last.get());
  }

  /** The index of the last complete record behind the end of the scan; -1 for none. */
  private static long lastRecordAfter(ByteBuffer segment, Scan scan) {
    long last = -1;
    for (int at = scan.end + 1; at < segment.limit(); at++) {
      Optional<LogRecord> record = LogRecord.at(segment, at);
      if (record.isPresent() && record.get().checksumValid() && record.get().index() > scan.index)
        last = Math.max(last, record.get().index());
    }
    return last;
  }

  private static boolean lacksSector(ByteBuffer segment, LogRecord record) {
    int sector = (record.offset() / SECTOR_BYTES + 1) * SECTOR_BYTES;
    for (; sector < record.end(); sector += SECTOR_BYTES) {
      if (isZero(segment, sector, Math.min(record.end(), sector + SECTOR_BYTES))) return true;
    }
    return false;
  }

  private static boolean isZero(ByteBuffer segment, int from, int to) {
    for (int i = from; i < to; i++) if (segment.get(i) != 0) return false;
    return true;
  }

  private static DamagedStorageException damaged(Path file, Scan scan) {
    return new DamagedStorageException(
        "the log segment %s is damaged at byte %d, after the entry at index %d"
            .formatted(file, scan.end, scan.index));
  }

  private static void truncate(Path file, int end) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      long before = channel.size();
      channel.truncate(end);
      channel.force(true);
      LOG.warn(
          "event=log_tail_truncated file={} from={} size={} reason=\"the last records were written"
              + " only in part and never acknowledged\"",
          file,
          end,
          before);
    }
  }
}
