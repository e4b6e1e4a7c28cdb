package org.quorumail.api;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.QueueView.MissingPart;
import org.quorumail.mail.QueueId;

/** The API's view of what has happened to messages, those that have gone included. */
public interface TraceView {
  /** Returns what has happened to one message; empty when no event of it is known here. */
  Optional<MessageTrace> trace(QueueId id);

  /** Returns what has happened to the messages that a query finds, the newest first. */
  TraceList traces(TraceQuery query);

  /** Returns the events behind a cursor, those of each spool in their order. */
  MailEventPage mailEvents(MailEventQuery query);

  /**
   * A query for events.
   *
   * @param after what the caller has already
   * @param since the age of the first event in a spool that the cursor does not have; zero for new
   *     events only
   * @param limit most events, at most {@value #LIMIT_MAX}
   * @param spools names of the spools to read, which must be here; all when there is none
   */
  record MailEventQuery(MailCursor after, Duration since, int limit, List<String> spools) {
    public static final int LIMIT_MAX = 1_000;

    public MailEventQuery {
      spools = List.copyOf(spools);
    }

    /** The same query behind another cursor. */
    public MailEventQuery after(MailCursor cursor) {
      return new MailEventQuery(cursor, since, limit, spools);
    }

    /** The same query for some spools. */
    public MailEventQuery in(List<String> names, int most) {
      return new MailEventQuery(after, since, most, names);
    }
  }

  /**
   * Some events.
   *
   * @param cursor for the next query
   * @param events as in {@link MessageTrace}
   * @param missing what could not be read; null when nothing is missing
   */
  record MailEventPage(
      String cursor, List<Map<String, Object>> events, @Nullable MissingPart missing) {
    public MailEventPage {
      events = List.copyOf(events);
    }
  }

  /**
   * A query for messages.
   *
   * @param field {@code recipient}, {@code sender} or {@code message_id}
   * @param value an address, or a Message-ID in angle brackets
   * @param limit most messages, at most {@value #LIMIT_MAX}
   * @param spools names of the spools to search, which must be here; all when there is none
   */
  record TraceQuery(String field, String value, int limit, List<String> spools) {
    public static final int LIMIT_MAX = 100;

    public TraceQuery {
      spools = List.copyOf(spools);
    }

    /** The same query for some spools. */
    public TraceQuery in(List<String> names) {
      return new TraceQuery(field, value, limit, names);
    }
  }

  /**
   * The story of one message.
   *
   * @param messageId the Message-ID of its header; null when it has none, or its acceptance is no
   *     longer known
   * @param events oldest first; each has {@code id}, {@code time}, {@code type}, {@code queue_id}
   *     and the fields of its type
   */
  record MessageTrace(
      String id,
      String spool,
      String sender,
      @Nullable String messageId,
      List<RecipientTrace> recipients,
      List<Map<String, Object>> events) {
    public MessageTrace {
      recipients = List.copyOf(recipients);
      events = List.copyOf(events);
    }
  }

  /**
   * The state of one recipient after the last event.
   *
   * @param state queued, deferred, delivered, bounced, expired or deleted
   * @param since the time of the event that has led to it
   */
  record RecipientTrace(
      String address,
      String state,
      String since,
      int attempts,
      @Nullable String remote,
      @Nullable String reply) {}

  /**
   * The messages that a query has found.
   *
   * @param missing what could not be searched; null when nothing is missing
   */
  record TraceList(List<MessageTrace> messages, @Nullable MissingPart missing) {
    public TraceList {
      messages = List.copyOf(messages);
    }
  }
}
