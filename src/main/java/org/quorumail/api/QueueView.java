package org.quorumail.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;

/**
 * The API's view of the queue: over the spools of which this node has a replica, or over those of
 * the whole cluster. Thread-safe.
 */
public interface QueueView extends TraceView {
  /** The statuses of a message. */
  List<String> STATUSES =
      List.of("pending", "in-progress", "completed", "failed", "retry", "expired", "held");

  /** The properties by which the queue can be divided. */
  List<String> BREAKDOWNS = List.of("destination", "sender", "error", "class");

  /** The reason why a message is not bounced during an attempt. */
  String IS_IN_PROGRESS = "an attempt to deliver the message is running; repeat the order";

  /** The reason why a held message is not retried. */
  String IS_HELD = "the message is held; release it first";

  /** Lists messages spool by spool, in the order of the index that serves the query. */
  MessagePage list(MessageQuery filter);

  Optional<QueuedMessage> message(QueueId id);

  /** Reads the header and the beginning of the body; empty when the message is not in the queue. */
  Optional<MessageText> text(QueueId id);

  /** The totals over all spools. */
  default QueueTotals stats() {
    return stats(List.of());
  }

  /**
   * The totals over some spools.
   *
   * @param spools their names; all when there is none
   * @throws IllegalArgumentException when one of them is not here
   */
  QueueTotals stats(List<String> spools);

  /**
   * Divides what waits by a property.
   *
   * @param by one of {@link #BREAKDOWNS}
   * @param limit most rows
   * @param spools names of the spools, which must be here; all when there is none
   */
  QueueBreakdown breakdown(String by, int limit, List<String> spools);

  /** Runs a command about one message. */
  ChangeResult change(QueueId id, OperatorCommand command);

  /** Runs a command about the messages of one page. */
  ChangedMessages change(MessageQuery query, OperatorCommand command);

  /** Counts matching messages for a while. */
  MessageCount count(MessageQuery query);

  /** Starts a scan for due mail at once. */
  void processNow();

  /**
   * Suspends delivery to a domain for a time on all nodes, those included that are down now.
   *
   * @param author the operator, as lists name it
   * @throws ChangeRefusedException when nothing was changed, or perhaps not
   */
  Suspension suspend(String domain, Duration howLong, String reason, String author);

  /**
   * Ends a suspension; false when the domain was not suspended.
   *
   * @throws ChangeRefusedException when nothing was changed, or perhaps not
   */
  boolean resume(String domain);

  List<Suspension> suspensions();

  /** Frees the disk space of ended messages. Empty when a clean-up runs already. */
  Optional<CleanupResult> cleanUp();

  List<SpoolStatus> spools();

  /** Classifies a reply, or words of a node, by the rules in force on this node. */
  ClassifiedReply classify(String reply);

  /** Computes the digest of every replica on this node; may take seconds. */
  List<SpoolDigest> digests();

  /**
   * A domain to which nothing is delivered for a time.
   *
   * @param until ISO 8601, UTC
   */
  record Suspension(String domain, long secondsLeft, String until, String reason, String author) {}

  /**
   * The result of a clean-up.
   *
   * @param ended messages that have ended since the spools were created
   */
  record CleanupResult(long ended, long bytesBefore, long bytesAfter) {}

  /** The result of a change, which is in force once a quorum has committed it. */
  enum ChangeResult {
    DONE,
    NOT_FOUND,
    /** The message is held: release it first. */
    HELD,
    /** An attempt is running: repeat the order. */
    IN_PROGRESS,
    /** This node has the message, and another one delivers it. */
    NOT_OWNED,
    NO_QUORUM
  }

  /**
   * The query for messages.
   *
   * @param after cursor of the previous page; empty for the first
   * @param limit most messages of a page, at most {@value #MAX_PAGE}
   * @param spools names of the spools to search, which must be here; all when there is none
   */
  record MessageQuery(QueueCriteria filter, String after, int limit, List<String> spools) {
    public static final int MAX_PAGE = 1_000;

    public MessageQuery {
      spools = List.copyOf(spools);
    }

    public MessageQuery(
        String status, String domain, String sender, long minAgeMillis, String after, int limit) {
      this(
          new QueueCriteria(status, sender, "", domain, minAgeMillis, 0, 0, "", ""),
          after,
          limit,
          List.of());
    }

    /** The same query for a part of its page. */
    public MessageQuery part(String spool, String from, int most) {
      return new MessageQuery(filter, from, most, List.of(spool));
    }
  }

  /**
   * A number of messages.
   *
   * @param cursor where to go on counting; null when all are counted
   * @param missing what is not counted; null when nothing is missing
   */
  record MessageCount(long messages, @Nullable String cursor, @Nullable MissingPart missing) {}

  /**
   * The messages of a page that a command has changed.
   *
   * @param ids of the changed ones
   * @param skipped messages that match and whose state does not allow the change
   * @param reason of the last skip; null when there was none
   * @param cursor for the next page; null on the last one
   * @param missing what was not reached; null when nothing is missing
   */
  record ChangedMessages(
      List<String> ids,
      int skipped,
      @Nullable String reason,
      @Nullable String cursor,
      @Nullable MissingPart missing) {
    public ChangedMessages {
      ids = List.copyOf(ids);
    }
  }

  /**
   * The part of the cluster that an answer lacks.
   *
   * @param nodes that did not answer
   * @param spools of which no replica answered: they may have more mail
   */
  record MissingPart(List<String> nodes, List<String> spools) {
    public MissingPart {
      nodes = List.copyOf(nodes);
      spools = List.copyOf(spools);
    }
  }

  /**
   * One page of messages.
   *
   * @param cursor for the next page; null on the last one
   * @param note the reason why a query finds less than its words promise; null when it does not
   * @param missing what the page lacks; null when nothing is missing
   */
  record MessagePage(
      List<QueuedMessage> messages,
      @Nullable String cursor,
      @Nullable String note,
      @Nullable MissingPart missing) {
    public MessagePage {
      messages = List.copyOf(messages);
    }

    public MessagePage(
        List<QueuedMessage> messages, @Nullable String cursor, @Nullable String note) {
      this(messages, cursor, note, null);
    }

    public MessagePage(List<QueuedMessage> messages, @Nullable String cursor) {
      this(messages, cursor, null);
    }
  }

  /**
   * The text of a message, read as UTF-8.
   *
   * @param header the header without the empty line after it, at most {@value #MAX_HEADER} octets
   * @param body the beginning of the body, at most {@value #MAX_BODY} octets, as it is encoded
   * @param complete false when one of them is cut
   */
  record MessageText(String id, String header, String body, boolean complete) {
    public static final int MAX_HEADER = 64 * 1024;
    public static final int MAX_BODY = 4 * 1024;
  }

  /**
   * One message.
   *
   * @param arrived ISO 8601, UTC
   * @param nextAttempt earliest next attempt of its recipients
   * @param releaseAt time until which its sender holds it (RFC 4865), while in the future
   */
  record QueuedMessage(
      String id,
      String status,
      String sender,
      String arrived,
      long size,
      String spool,
      int attempts,
      @Nullable String nextAttempt,
      @Nullable String releaseAt,
      List<QueuedRecipient> recipients) {
    public QueuedMessage {
      recipients = List.copyOf(recipients);
    }
  }

  /**
   * One recipient.
   *
   * @param failureClass of the last reply, by the rules of the node that answers; null without a
   *     failure
   */
  record QueuedRecipient(
      String address,
      String status,
      int attempts,
      @Nullable String nextAttempt,
      @Nullable String lastReply,
      @JsonProperty("class") @Nullable String failureClass) {}

  /**
   * The totals of the queue.
   *
   * @param total messages that have not ended
   * @param byStatus messages of each status that has some
   * @param oldestAgeSeconds 0 when the queue is empty
   * @param missing what is not counted; null when nothing is missing
   */
  record QueueTotals(
      long total,
      long bytes,
      long oldestAgeSeconds,
      Map<String, Long> byStatus,
      @Nullable MissingPart missing) {
    public QueueTotals {
      byStatus = Collections.unmodifiableMap(new TreeMap<>(byStatus)); // in a stable order
    }

    public QueueTotals(long total, long bytes, long oldestAgeSeconds, Map<String, Long> byStatus) {
      this(total, bytes, oldestAgeSeconds, byStatus, null);
    }
  }

  /**
   * A spool with a replica on this node.
   *
   * @param role leader, follower, or {@value #JOINING} while the replica is not complete
   * @param owned whether this node delivers from it
   */
  record SpoolStatus(
      String name,
      String role,
      @Nullable String leader,
      long term,
      long index,
      boolean owned,
      long messages,
      long bytes,
      long inDoubt) {
    public static final String JOINING = "joining";
  }

  /** The class of a reply, the rule that gave it, and the action that follows. */
  record ClassifiedReply(
      @JsonProperty("class") String failureClass, String rule, String action, String reply) {}

  /** The digest of a replica: equal on all replicas at equal positions. */
  record SpoolDigest(String spool, long term, long index, String sha256) {}
}
