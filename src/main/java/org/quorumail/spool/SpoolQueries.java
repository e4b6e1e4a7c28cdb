package org.quorumail.spool;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.LogPosition;
import org.quorumail.upkeep.PlatformThread;

/**
 * The queries about spools that this node holds. Its own replicas answer, which may be slightly
 * behind the leader's. Each query reads a bounded number of rows, except {@link #digests}.
 */
public final class SpoolQueries {
  private final List<Spool> spools;
  private final Clock clock;

  SpoolQueries(List<Spool> spools, Clock clock) {
    this.spools = spools;
    this.clock = clock;
  }

  /**
   * The criteria of a list. An empty field does not restrict.
   *
   * @param sender the first characters of the reverse-path; case does not count
   * @param olderThan the least time since the message was accepted
   * @param others the criteria that no index serves
   * @param isStable whether messages come in an order that changes to them cannot alter, so that a
   *     walk which changes each message ends
   */
  public record MessageCriteria(
      Optional<MessageStatus> status,
      Optional<String> domain,
      Optional<String> sender,
      Optional<Duration> olderThan,
      Predicate<SpooledMessage> others,
      boolean isStable) {
    /** Criteria that indexes serve, and the age. */
    public MessageCriteria(
        Optional<MessageStatus> status,
        Optional<String> domain,
        Optional<String> sender,
        Optional<Duration> olderThan) {
      this(status, domain, sender, olderThan, message -> true, false);
    }

    /** The same for a walk that changes the messages. */
    public MessageCriteria stable() {
      return new MessageCriteria(status, domain, sender, olderThan, others, true);
    }

    public static final MessageCriteria ALL =
        new MessageCriteria(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    boolean matches(SpooledMessage m, long nowMillis) {
      return status.map(s -> s == MessageStatus.at(m, nowMillis)).orElse(true)
          && domain.map(d -> m.dueByDomain().containsKey(d.toLowerCase(Locale.ROOT))).orElse(true)
          && sender.map(s -> begins(m.reversePath().toString(), s)).orElse(true)
          && olderThan.map(age -> nowMillis - m.arrivedMillis() >= age.toMillis()).orElse(true)
          && others.test(m);
    }

    private static boolean begins(String sender, String prefix) {
      return sender.regionMatches(true, 0, prefix, 0, prefix.length());
    }
  }

  /** A message and the spool that it is in. */
  public record LocatedMessage(String spool, SpooledMessage message) {
    public MessageStatus status(long nowMillis) {
      return MessageStatus.at(message, nowMillis);
    }
  }

  /**
   * A page of a list.
   *
   * @param next the cursor of the next page; empty at the end. A page may be short or empty before
   *     the end, when many rows were read to find few
   */
  public record Page(List<LocatedMessage> messages, Optional<String> next) {}

  /**
   * Returns matching messages, spool by spool, in the order of the index that serves the query
   * best.
   *
   * @param cursor "" to begin, or {@link Page#next}
   * @throws IllegalArgumentException when the cursor is not one of {@link Page#next}
   */
  public Page page(MessageCriteria filter, String cursor, int limit) {
    return page(filter, List.of(), cursor, limit);
  }

  /**
   * The same for some spools.
   *
   * @param names of the spools; all when there is none
   */
  public Page page(MessageCriteria filter, List<String> names, String cursor, int limit) {
    return PlatformThread.call("spool-search", () -> pageHere(filter, names, cursor, limit));
  }

  /** The spool in which the page before has ended; "" at the beginning. */
  public static String spoolOf(String cursor) {
    return Cursor.parse(cursor).spool;
  }

  /** The cursor behind a spool, at the beginning of the next one in the order of their names. */
  public static String cursorAfter(String spool) {
    return new Cursor(spool + "\0", Cursor.BEGINNING).text(); // no name is between the two
  }

  private Page pageHere(MessageCriteria filter, List<String> names, String cursor, int limit) {
    Cursor from = Cursor.parse(cursor);
    List<LocatedMessage> found = new ArrayList<>();
    List<Spool> ordered = selected(names).filter(s -> s.name().compareTo(from.spool) >= 0).toList();
    int budget = MessageSearch.ROWS_MAX;
    for (Spool spool : ordered) {
      byte[] after = spool.name().equals(from.spool) ? from.key : Cursor.BEGINNING;
      MessageSearch listing = new MessageSearch(filter, clock.millis());
      MessageSearch.Matches part =
          spool.store().read(db -> listing.search(db, after, limit - found.size()));
      part.messages().forEach(m -> found.add(new LocatedMessage(spool.name(), m)));
      budget -= part.rowsRead();
      boolean more = part.hasMore();
      if (more)
        return new Page(found, Optional.of(new Cursor(spool.name(), part.lastKey()).text()));
      boolean lastSpool = spool == ordered.getLast();
      if (!lastSpool && (found.size() >= limit || budget <= 0))
        return new Page(found, Optional.of(cursorAfter(spool.name())));
    }
    return new Page(found, Optional.empty());
  }

  /**
   * Passes matching messages to a consumer, spool by spool, for a while.
   *
   * @param names of the spools; all when there is none
   * @return the cursor where to go on; empty at the end
   */
  public Optional<String> walk(
      MessageCriteria filter,
      List<String> names,
      String cursor,
      Duration atMost,
      Consumer<SpooledMessage> found) {
    long until = System.nanoTime() + atMost.toNanos();
    return PlatformThread.call("spool-walk", () -> walkHere(filter, names, cursor, until, found));
  }

  private Optional<String> walkHere(
      MessageCriteria filter,
      List<String> names,
      String cursor,
      long untilNanos,
      Consumer<SpooledMessage> found) {
    Cursor from = Cursor.parse(cursor);
    MessageSearch search = new MessageSearch(filter, clock.millis());
    for (Spool spool : selected(names).toList()) {
      if (spool.name().compareTo(from.spool) < 0) continue;
      byte[] after = spool.name().equals(from.spool) ? from.key : Cursor.BEGINNING;
      Optional<byte[]> last = spool.store().read(db -> search.walk(db, after, untilNanos, found));
      if (last.isPresent()) return Optional.of(new Cursor(spool.name(), last.get()).text());
    }
    return Optional.empty();
  }

  public Optional<LocatedMessage> find(QueueId id) {
    for (Spool spool : spools) {
      Optional<StoredMessage> stored = spool.store().message(id);
      if (stored.isPresent()) {
        return Optional.of(new LocatedMessage(spool.name(), stored.get().message()));
      }
    }
    return Optional.empty();
  }

  /** A message's content; also from a replica that is not owned. */
  public Optional<InputStream> content(QueueId id) {
    for (Spool spool : spools) {
      if (spool.store().message(id).isPresent()) {
        return Optional.of(new ContentStream(spool.store(), id));
      }
    }
    return Optional.empty();
  }

  /**
   * The figures of one spool.
   *
   * @param owned whether this node delivers from it
   * @param oldestMillis when the oldest message in it was accepted
   */
  public record ReplicaStats(
      String spool,
      String home,
      Optional<String> leader,
      boolean owned,
      SpoolCounters counters,
      Optional<Long> oldestMillis) {}

  /**
   * The figures of some spools.
   *
   * @param names of the spools; all when there is none
   */
  public List<ReplicaStats> stats(List<String> names) {
    return selected(names)
        .map(
            s ->
                new ReplicaStats(
                    s.name(),
                    s.home(),
                    s.leader(),
                    s.ownedSpool().isPresent(),
                    s.counters(),
                    s.store().read(MessageSearch::oldest).map(id -> id.arrived().toEpochMilli())))
        .toList();
  }

  /** Position and content of one replica; equal positions have equal digests. */
  public record DigestAtPosition(String spool, LogPosition position, String sha256) {}

  /** Returns the digests of all replicas; reads every row. */
  public List<DigestAtPosition> digests() {
    return ordered()
        .map(
            s -> {
              StoreDigest digest = s.store().digest();
              return new DigestAtPosition(s.name(), digest.position(), digest.sha256());
            })
        .toList();
  }

  private Stream<Spool> selected(List<String> names) {
    return ordered().filter(s -> names.isEmpty() || names.contains(s.name()));
  }

  private Stream<Spool> ordered() {
    return spools.stream().sorted(Comparator.comparing(Spool::name));
  }

  /** The end of a page: in a spool, after a key. */
  private record Cursor(String spool, byte[] key) {
    static final byte[] BEGINNING = {};

    static Cursor parse(String text) {
      if (text.isEmpty()) return new Cursor("", BEGINNING);
      int dot = text.indexOf('.');
      if (dot < 0) throw new IllegalArgumentException("not a cursor: " + text);
      try {
        byte[] name = Base64.getUrlDecoder().decode(text.substring(0, dot));
        byte[] key = Base64.getUrlDecoder().decode(text.substring(dot + 1));
        return new Cursor(new String(name, StandardCharsets.UTF_8), key);
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException("not a cursor: " + text, e);
      }
    }

    String text() {
      var encoder = Base64.getUrlEncoder().withoutPadding();
      return encoder.encodeToString(spool.getBytes(StandardCharsets.UTF_8))
          + "."
          + encoder.encodeToString(key);
    }
  }
}
