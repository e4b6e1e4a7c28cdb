package org.quorumail.spool;

import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;

/**
 * A spool that this node owns: it leads the group, has waited out the former owner's lease, and
 * alone may deliver from it until the term passes. Thread-safe; all reads are local.
 */
public interface OwnedSpool {
  /** The most that the results and the report of one {@link #recordOutcomes} may come to. */
  int RECORD_BYTES_MAX = 1_000_000;

  /** The group's name. */
  String name();

  long term();

  /** Whether an attempt may begin or go on this instant, from memory. */
  boolean mayDeliver();

  /**
   * Asked just before the final dot of an outgoing message: checks term and lease once more, from
   * memory, and counts the recipients as in doubt until the answer is closed, which is done after
   * {@link #recordOutcomes} has returned. Duplicates after a crash are bounded by that count.
   *
   * @return empty when the lease is not held: the dot must not be sent, nothing was delivered
   */
  Optional<InDoubtDeliveries> enterDoubt(int recipients);

  /**
   * The earliest due row of the first destination domain after the given one (first of all: "").
   */
  Optional<DueRow> firstDueAfter(String domain);

  /** Rows of a domain that are due at or before the time, earliest first. */
  List<DueRow> dueRows(String domain, long untilMillis, int limit);

  Optional<SpooledMessage> message(QueueId id);

  /** The bytes as received, trace header included; streamed, never whole in memory. */
  InputStream content(QueueId id);

  /**
   * Commits the results of one attempt, together with the report about its failures if there is
   * one: both or neither. Blocks until committed. A message without pending recipients is removed.
   *
   * @param results with the notification at most {@link #RECORD_BYTES_MAX}, as bytes of UTF-8
   * @return false when they were refused: the term has passed, and the next owner tries again
   */
  boolean recordOutcomes(
      QueueId id, List<RecipientOutcome> results, @Nullable DsnMessage notification);

  /**
   * A delivery status notification, accepted into the spool as a message of its own.
   *
   * @param aboutDelay sets {@link SpooledMessage#delayReported} of the message it is about
   */
  record DsnMessage(QueueId id, Envelope envelope, byte[] content, boolean aboutDelay) {}

  /** Deliveries whose final dot is out and whose outcome is not committed yet. */
  interface InDoubtDeliveries extends AutoCloseable {
    @Override
    void close();
  }

  /** A message has pending recipients in this domain, due then (milliseconds of the epoch). */
  record DueRow(String domain, long dueMillis, QueueId id) {}
}
