package org.quorumail.spool;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.MailEvent.Position;
import org.quorumail.upkeep.PlatformThread;

/**
 * The queries about events of mail in the spools that this node holds. Its own replicas answer,
 * which may be slightly behind the leader's. Each query reads a bounded number of rows.
 */
public final class EventQueries {
  /** The events of a message with a thousand recipients that were deferred some times. */
  private static final int EVENTS_MAX = 10_000;

  private final List<Spool> spools;

  EventQueries(List<Spool> spools) {
    this.spools = spools;
  }

  /** The field by which messages are found. */
  public enum SearchKey {
    SENDER,
    RECIPIENT,
    MESSAGE_ID
  }

  /** The events of a message, oldest first, those of reports about it included. */
  public record History(String spool, QueueId id, List<MailEvent> events) {
    public History {
      events = List.copyOf(events);
    }
  }

  /** Returns the history of a message; empty when no event of it is here. */
  public Optional<History> history(QueueId id) {
    return PlatformThread.call(
        "event-search",
        () ->
            spools.stream()
                .map(spool -> history(spool, id))
                .filter(h -> h.events().stream().anyMatch(e -> e.id().equals(id)))
                .findFirst());
  }

  /**
   * Returns the histories of the messages that were accepted with a value, the newest first.
   *
   * @param value an address, or a Message-ID in angle brackets
   * @param names of the spools; all when there is none
   */
  public List<History> find(SearchKey key, String value, List<String> names, int limit) {
    return PlatformThread.call("event-search", () -> findHere(key, value, names, limit));
  }

  /** Some events of one spool, and the position behind them. */
  public record Page(String spool, Position position, List<MailEvent> events) {
    public Page {
      events = List.copyOf(events);
    }
  }

  /**
   * Returns the events of each spool behind a position.
   *
   * @param names of the spools; all when there is none
   * @param after the position in a spool; empty for one that the caller does not know yet
   * @param sinceMillis the time of the first event in such a spool
   * @param limit most events of all
   */
  public List<Page> after(
      List<String> names, Function<String, Optional<Position>> after, long sinceMillis, int limit) {
    return PlatformThread.call("event-search", () -> afterHere(names, after, sinceMillis, limit));
  }

  private List<Page> afterHere(
      List<String> names, Function<String, Optional<Position>> after, long sinceMillis, int limit) {
    List<Page> pages = new ArrayList<>();
    int left = limit;
    for (Spool spool : spools) {
      if (!spool.store().isOpen() || !(names.isEmpty() || names.contains(spool.name()))) continue;
      Optional<Position> known = after.apply(spool.name());
      int most = left;
      Page page =
          spool
              .store()
              .read(
                  db -> {
                    Position from =
                        known.isPresent() ? known.get() : EventReader.since(db, sinceMillis);
                    List<MailEvent> events =
                        most == 0 ? List.of() : EventReader.after(db, from, most);
                    Position end = events.isEmpty() ? from : events.getLast().position();
                    return new Page(spool.name(), end, events);
                  });
      left -= page.events().size();
      pages.add(page);
    }
    return pages;
  }

  private List<History> findHere(SearchKey key, String value, List<String> names, int limit) {
    List<History> found = new ArrayList<>();
    Stream<Spool> wanted = spools.stream().filter(s -> names.isEmpty() || names.contains(s.name()));
    for (Spool spool : wanted.toList()) {
      Collection<QueueId> ids =
          spool.store().read(db -> EventReader.messages(db, key, value, limit));
      for (QueueId id : ids) found.add(history(spool, id));
    }
    return newest(found, limit);
  }

  /** The newest of some histories: ids begin with the time of arrival. */
  private static List<History> newest(List<History> all, int limit) {
    return all.stream().sorted((a, b) -> b.id().compareTo(a.id())).limit(limit).toList();
  }

  private static History history(Spool spool, QueueId id) {
    List<MailEvent> events = spool.store().read(db -> EventReader.ofMessage(db, id, EVENTS_MAX));
    return new History(spool.name(), id, events);
  }
}
