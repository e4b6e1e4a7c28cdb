package org.quorumail.api;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;

/** The queue over the spools of this node. Implemented by the composition root. Thread-safe. */
public interface QueueView {
  /** The statuses in which a message can be found. */
  List<String> STATUSES =
      List.of("pending", "in-progress", "completed", "failed", "retry", "expired", "held");

  /** Messages spool by spool, in the order of the index that serves the filter. */
  MessagePage list(MessageQuery filter);

  Optional<QueuedMessage> message(QueueId id);

  QueueTotals stats();

  /** Makes all pending recipients due now. */
  ChangeResult retry(QueueId id);

  ChangeResult hold(QueueId id);

  ChangeResult release(QueueId id);

  /** Removes the message without a report. */
  ChangeResult delete(QueueId id);

  /** Looks for due mail at once instead of at the next interval. */
  void processNow();

  /**
   * Leaves a domain's mail alone for a while, on this node and until its next start.
   *
   * @return false when too many domains are suspended already
   */
  boolean suspend(String domain, Duration howLong);

  /** False when the domain was not suspended. */
  boolean resume(String domain);

  List<Suspension> suspensions();

  /** Gives the disk back what ended messages have left; may take a while. Empty when one runs. */
  Optional<CleanupResult> cleanUp();

  List<SpoolStatus> spools();

  /** Reads every replica on this node from end to end; may take seconds. */
  List<SpoolDigest> digests();

  record Suspension(String domain, long secondsLeft) {}

  /**
   * @param ended messages that came to their end since the spools exist
   */
  record CleanupResult(long ended, long bytesBefore, long bytesAfter) {}

  /** Answer to a change, which counts once a quorum has it. */
  enum ChangeResult {
    DONE,
    NOT_FOUND,
    /** A held message is not retried; release it. */
    HELD,
    NO_QUORUM
  }

  /**
   * Which messages to list; empty texts mean: any.
   *
   * @param sender how the reverse-path begins
   * @param minAgeMillis age from which messages are listed
   * @param after the cursor of the page before; empty for the first
   * @param limit longest page, at most {@value #MAX_PAGE}
   */
  record MessageQuery(
      String status, String domain, String sender, long minAgeMillis, String after, int limit) {
    public static final int MAX_PAGE = 1_000;
  }

  /**
   * @param cursor for the next page; null on the last one
   */
  record MessagePage(List<QueuedMessage> messages, @Nullable String cursor) {
    public MessagePage {
      messages = List.copyOf(messages);
    }
  }

  /**
   * @param arrived ISO 8601, UTC
   * @param nextAttempt the earliest of the recipients'
   * @param releaseAt until when its sender had it held (RFC 4865), while that is to come
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

  record QueuedRecipient(
      String address,
      String status,
      int attempts,
      @Nullable String nextAttempt,
      @Nullable String lastReply) {}

  /**
   * @param total messages not at their end
   * @param byStatus every status that has messages
   * @param oldestAgeSeconds 0 when the queue is empty
   */
  record QueueTotals(long total, long bytes, long oldestAgeSeconds, Map<String, Long> byStatus) {
    public QueueTotals {
      byStatus = Map.copyOf(byStatus);
    }
  }

  /**
   * A spool of which this node keeps a replica.
   *
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
      long inDoubt) {}

  /** Equal on all replicas at equal position. */
  record SpoolDigest(String spool, long term, long index, String sha256) {}
}
