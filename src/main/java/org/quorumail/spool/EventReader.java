package org.quorumail.spool;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.EventQueries.SearchKey;
import org.quorumail.spool.EventRows.Segment;
import org.quorumail.spool.MailEvent.Accepted;
import org.quorumail.spool.MailEvent.Position;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Reads the events of one replica: by message, by a value of header or envelope, or in order. */
final class EventReader {
  /**
   * The most rows that one search reads: some hundred milliseconds, also for the address that is in
   * every message.
   */
  private static final int ROWS_MAX = 20_000;

  private static final int PAGE = 1_000;

  /** Behind all events of an entry. */
  private static final int MAX = 999_999_999;

  private final SpoolDatabase db;
  private final ColumnFamilyHandle family;

  private EventReader(SpoolDatabase db, ColumnFamilyHandle family) {
    this.db = db;
    this.family = family;
  }

  /** Returns the events of a message, oldest first, the acceptance of reports about it included. */
  static List<MailEvent> ofMessage(SpoolDatabase db, QueueId id, int limit)
      throws RocksDBException, IOException {
    ColumnFamilyHandle family = db.events();
    if (family == null) return List.of();
    EventReader log = new EventReader(db, family);
    List<MailEvent> found = new ArrayList<>();
    for (byte[] row : log.rows(EventKeys.ofId(id), ROWS_MAX).reversed()) {
      for (MailEvent event : log.events(row)) {
        if (!concerns(event, id)) continue;
        found.add(event);
        if (found.size() >= limit) return found;
      }
    }
    return found;
  }

  private static boolean concerns(MailEvent event, QueueId id) {
    return event.id().equals(id)
        || (event.detail() instanceof Accepted accepted && id.equals(accepted.about()));
  }

  /** Returns the messages that were accepted with this value, the newest first. */
  static Collection<QueueId> messages(SpoolDatabase db, SearchKey key, String value, int limit)
      throws RocksDBException, IOException {
    ColumnFamilyHandle family = db.events();
    if (family == null) return List.of();
    EventReader log = new EventReader(db, family);
    Predicate<Accepted> matches = matches(key, value);
    Set<QueueId> found = new LinkedHashSet<>();
    for (byte[] row : log.rows(hash(key, value), ROWS_MAX)) {
      for (MailEvent event : log.events(row).reversed()) {
        if (event.detail() instanceof Accepted a && matches.test(a)) found.add(event.id());
        if (found.size() >= limit) return found;
      }
    }
    return found;
  }

  private static long hash(SearchKey key, String value) {
    return switch (key) {
      case SENDER -> EventKeys.ofSender(value);
      case RECIPIENT -> EventKeys.ofRecipient(value);
      case MESSAGE_ID -> EventKeys.ofMessageId(value);
    };
  }

  private static Predicate<Accepted> matches(SearchKey key, String value) {
    String address = EventKeys.normal(value);
    return switch (key) {
      case SENDER -> a -> EventKeys.normal(a.sender()).equals(address);
      case RECIPIENT ->
          a -> a.recipients().stream().anyMatch(r -> EventKeys.normal(r).equals(address));
      case MESSAGE_ID -> a -> a.arrival().messageId().equals(value);
    };
  }

  /** Returns the events behind a position, oldest first. */
  static List<MailEvent> after(SpoolDatabase db, Position after, int limit)
      throws RocksDBException, IOException {
    ColumnFamilyHandle family = db.events();
    if (family == null) return List.of();
    List<MailEvent> found = new ArrayList<>();
    try (ReadOptions options = SpoolStore.scanOptions();
        RocksIterator it = db.db.newIterator(family, options)) {
      it.seek(EventKeys.events(segmentOf(db, after.entry()), after.entry()));
      while (it.isValid() && found.size() < limit) {
        byte[] key = it.key();
        if (!EventKeys.isEvents(key)) { // to the events of the next segment
          boolean isSegment = !EventKeys.isPosting(key);
          int next = EventKeys.segmentOf(key) + (isSegment ? 0 : 1);
          it.seek(EventKeys.events(next, 0));
          continue;
        }
        for (MailEvent event : MailEventFormat.read(EventKeys.entry(key), it.value()))
          if (event.position().compareTo(after) > 0 && found.size() < limit) found.add(event);
        it.next();
      }
      it.status();
    }
    return found;
  }

  /** The position before the first event that is not older; the present end without one. */
  static Position since(SpoolDatabase db, long millis) throws RocksDBException, IOException {
    Position end = behind(SpoolStore.position(db.db.get(db.meta, RowKeys.APPLIED)).index());
    Segment segment = EventRows.edge(db, true);
    if (segment == null || millis >= Long.MAX_VALUE) return end;
    while (segment.atMillis() >= millis) { // one may begin within its millisecond
      Segment before = EventRows.segment(db, segment.number() - 1);
      if (before == null) break;
      segment = before;
    }
    Position from = behind(segment.firstEntry() - 1);
    while (true) {
      List<MailEvent> page = after(db, from, PAGE);
      for (MailEvent event : page) {
        if (event.atMillis() >= millis) return from;
        from = event.position();
      }
      if (page.isEmpty()) return end;
    }
  }

  /** The position behind all events of an entry; a log begins with an entry without events. */
  private static Position behind(long entry) {
    return new Position(Math.max(0, entry), MAX);
  }

  /** The segment that has an entry, or the first one behind it. */
  private static int segmentOf(SpoolDatabase db, long entry) throws RocksDBException, IOException {
    Segment segment = EventRows.edge(db, true);
    while (segment != null && segment.firstEntry() > entry) {
      Segment before = EventRows.segment(db, segment.number() - 1);
      if (before == null) return segment.number();
      segment = before;
    }
    return segment == null ? 0 : segment.number();
  }

  /** Returns the keys of the events that have a hash, the newest first. */
  private List<byte[]> rows(long hash, int limit) throws RocksDBException, IOException {
    List<byte[]> found = new ArrayList<>();
    Segment last = EventRows.edge(db, true);
    Segment first = EventRows.edge(db, false);
    if (last == null || first == null) return found;
    try (RocksIterator it = db.db.newIterator(family)) {
      for (int s = last.number(); s >= first.number(); s--) {
        byte[] prefix = EventKeys.postings(s, hash);
        it.seekForPrev(EventKeys.posting(s, hash, Long.MAX_VALUE));
        for (; it.isValid() && RowKeys.startsWith(it.key(), prefix); it.prev()) {
          found.add(EventKeys.events(s, EventKeys.entry(it.key())));
          if (found.size() >= limit) return found;
        }
        it.status();
      }
    }
    return found;
  }

  private List<MailEvent> events(byte[] key) throws RocksDBException, IOException {
    byte[] row = db.db.get(family, key);
    return row == null ? List.of() : MailEventFormat.read(EventKeys.entry(key), row);
  }
}
