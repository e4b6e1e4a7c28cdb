package org.quorumail.admin;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.MailCursor;
import org.quorumail.api.TraceView;
import org.quorumail.mail.QueueId;
import org.quorumail.node.NodeState;
import org.quorumail.spool.EventQueries;
import org.quorumail.spool.EventQueries.History;
import org.quorumail.spool.EventQueries.SearchKey;
import org.quorumail.spool.MailEvent;
import org.quorumail.spool.MailEvent.Accepted;
import org.quorumail.spool.MailEvent.Attempted;
import org.quorumail.spool.MailEvent.Order;
import org.quorumail.spool.MailEvent.Ordered;
import org.quorumail.spool.MailEventFields;

/** The story of messages as their events have it, from the replicas on this node. */
public final class TraceReport implements TraceView {
  private final NodeState state;
  private final Clock clock;

  public TraceReport(NodeState state, Clock clock) {
    this.state = state;
    this.clock = clock;
  }

  @Override
  public Optional<MessageTrace> trace(QueueId id) {
    return events().flatMap(events -> events.history(id)).map(TraceReport::trace);
  }

  @Override
  public TraceList traces(TraceQuery query) {
    SearchKey key =
        switch (query.field()) {
          case "recipient" -> SearchKey.RECIPIENT;
          case "sender" -> SearchKey.SENDER;
          case "message_id" -> SearchKey.MESSAGE_ID;
          default -> throw new IllegalArgumentException("unknown field " + query.field());
        };
    state.groups().ifPresent(groups -> QueueReport.requireHere(groups, query.spools()));
    String value = key == SearchKey.MESSAGE_ID ? inBrackets(query.value()) : query.value();
    List<MessageTrace> found =
        events()
            .map(events -> events.find(key, value, query.spools(), query.limit()))
            .orElse(List.of())
            .stream()
            .map(TraceReport::trace)
            .toList();
    return new TraceList(found, null);
  }

  @Override
  public MailEventPage mailEvents(MailEventQuery query) {
    state.groups().ifPresent(groups -> QueueReport.requireHere(groups, query.spools()));
    long since =
        query.since().isZero() ? Long.MAX_VALUE : clock.millis() - query.since().toMillis();
    List<EventQueries.Page> pages =
        events()
            .map(
                events ->
                    events.after(
                        query.spools(),
                        spool -> query.after().in(spool).map(TraceReport::position),
                        since,
                        query.limit()))
            .orElse(List.of());
    TreeMap<String, String> cursor = new TreeMap<>(query.after().positions());
    List<Map<String, Object>> found = new ArrayList<>();
    for (EventQueries.Page page : pages) {
      cursor.put(page.spool(), page.position().toString());
      for (MailEvent event : page.events()) found.add(MailEventFields.of(page.spool(), event));
    }
    return new MailEventPage(new MailCursor(cursor).toString(), found, null);
  }

  private static MailEvent.Position position(String text) {
    int dot = text.indexOf('.');
    return new MailEvent.Position(
        Long.parseLong(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1)));
  }

  private Optional<EventQueries> events() {
    return state.groups().map(groups -> groups.spools().events());
  }

  private static String inBrackets(String messageId) {
    return messageId.startsWith("<") ? messageId : "<" + messageId + ">";
  }

  static MessageTrace trace(History history) {
    Map<String, RecipientTrace> recipients = new LinkedHashMap<>();
    String sender = "";
    @Nullable String messageId = null;
    for (MailEvent event : history.events()) {
      if (!event.id().equals(history.id())) continue; // a report about it
      String time = Instant.ofEpochMilli(event.atMillis()).toString();
      switch (event.detail()) {
        case Accepted e -> {
          sender = e.sender();
          if (!e.arrival().messageId().isEmpty()) messageId = e.arrival().messageId();
          for (String to : e.recipients())
            recipients.putIfAbsent(to, new RecipientTrace(to, "queued", time, 0, null, null));
        }
        case Attempted e -> {
          sender = e.sender();
          recipients.put(e.recipient(), after(e, time));
        }
        case Ordered e -> {
          sender = e.sender();
          if (e.order() == Order.DELETED)
            recipients.replaceAll((to, before) -> deleted(before, time));
        }
      }
    }
    return new MessageTrace(
        history.id().toString(),
        history.spool(),
        sender,
        messageId,
        List.copyOf(recipients.values()),
        history.events().stream().map(e -> MailEventFields.of(history.spool(), e)).toList());
  }

  private static RecipientTrace after(Attempted e, String time) {
    return new RecipientTrace(
        e.recipient(),
        e.type(),
        time,
        e.attempt(),
        e.remote().isEmpty() ? null : e.remote(),
        e.reply());
  }

  private static RecipientTrace deleted(RecipientTrace before, String time) {
    boolean waits = before.state().equals("queued") || before.state().equals("deferred");
    if (!waits) return before;
    return new RecipientTrace(
        before.address(), "deleted", time, before.attempts(), before.remote(), before.reply());
  }
}
