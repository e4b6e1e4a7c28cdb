package org.quorumail.spool;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.MailEvent.Accepted;
import org.quorumail.spool.MailEventFormat.NewEvent;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;

/**
 * The rows of the events that one entry causes: the events themselves as one row, and a posting for
 * each id and address by which they can be found.
 */
final class EventRows {
  private EventRows() {}

  /** Adds the rows of an entry to the batch of its changes. */
  static void put(
      WriteBatch batch, ColumnFamilyHandle family, int segment, long entry, List<NewEvent> events)
      throws RocksDBException {
    batch.put(family, EventKeys.events(segment, entry), MailEventFormat.write(events));
    for (long hash : hashes(events))
      batch.put(family, EventKeys.posting(segment, hash, entry), EMPTY);
  }

  private static final byte[] EMPTY = {};

  /** The hashes by which the events of an entry are found. */
  private static Set<Long> hashes(List<NewEvent> events) {
    Set<Long> hashes = new HashSet<>(4 * events.size());
    for (NewEvent event : events) add(event.id(), event.detail(), hashes);
    return hashes;
  }

  /** The hashes of a row. */
  static Set<Long> hashes(long entry, byte[] row) throws IOException {
    Set<Long> hashes = new HashSet<>();
    for (MailEvent event : MailEventFormat.read(entry, row))
      add(event.id(), event.detail(), hashes);
    return hashes;
  }

  private static void add(QueueId id, MailEvent.Detail detail, Set<Long> hashes) {
    hashes.add(EventKeys.ofId(id));
    if (detail instanceof Accepted accepted) add(accepted, hashes);
  }

  private static void add(Accepted accepted, Set<Long> hashes) {
    hashes.add(EventKeys.ofSender(accepted.sender()));
    for (String recipient : accepted.recipients()) hashes.add(EventKeys.ofRecipient(recipient));
    String messageId = accepted.arrival().messageId();
    if (!messageId.isEmpty()) hashes.add(EventKeys.ofMessageId(messageId));
    QueueId about = accepted.about();
    if (about != null) hashes.add(EventKeys.ofId(about));
  }

  /** Begins a segment with an entry. */
  static void putSegment(WriteBatch batch, ColumnFamilyHandle family, Segment segment)
      throws RocksDBException {
    byte[] row = new ByteWriter(16).i64(segment.firstEntry).i64(segment.atMillis).finish();
    batch.put(family, EventKeys.segment(segment.number), row);
  }

  /** Drops the segments before the given one, as one range. */
  static void dropBefore(WriteBatch batch, ColumnFamilyHandle family, Segment first)
      throws RocksDBException {
    batch.deleteRange(family, EventKeys.segment(0), EventKeys.segment(first.number));
  }

  /**
   * A part of the log whose events are dropped together.
   *
   * @param firstEntry the index of its first entry
   * @param atMillis when it began
   */
  record Segment(int number, long firstEntry, long atMillis) {}

  static @Nullable Segment segment(SpoolDatabase db, int number)
      throws RocksDBException, IOException {
    ColumnFamilyHandle family = db.events();
    byte[] row = family == null ? null : db.db.get(family, EventKeys.segment(number));
    return row == null ? null : segment(number, row);
  }

  static Segment segment(int number, byte[] row) throws IOException {
    ByteReader in = new ByteReader(java.nio.ByteBuffer.wrap(row), "a segment of events");
    return new Segment(number, in.i64(), in.i64());
  }

  /** The first or last segment; null when no event was ever written. */
  static @Nullable Segment edge(SpoolDatabase db, boolean last)
      throws RocksDBException, IOException {
    ColumnFamilyHandle family = db.events();
    if (family == null) return null;
    try (RocksIterator it = db.db.newIterator(family)) {
      if (last) it.seekToLast();
      else it.seekToFirst();
      it.status();
      return it.isValid() ? segment(db, EventKeys.segmentOf(it.key())) : null;
    }
  }
}
