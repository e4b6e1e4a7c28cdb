package org.quorumail.spool;

import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;

/**
 * A spool that this node owns: it leads the group, the former owner's lease is over, and only this
 * node may deliver from it until the term ends. Thread-safe; all reads are local.
 */
public interface OwnedSpool {
  /** The most bytes of the outcomes and the DSN of one {@link #recordOutcomes}. */
  int RECORD_BYTES_MAX = 1_000_000;

  /** The group's name. */
  String name();

  long term();

  /** Returns whether an attempt may begin or go on at this instant; reads memory only. */
  boolean mayDeliver();

  /**
   * Checks term and lease once more, from memory, just before the final dot of an outgoing message.
   * Counts the recipients as in doubt until the result is closed, after {@link #recordOutcomes} has
   * returned. That count bounds the duplicates after a crash.
   *
   * @return empty when the lease is not held: the dot must not be sent, nothing was delivered
   */
  Optional<InDoubtDeliveries> enterDoubt(int recipients);

  /** Returns the earliest due row of the first destination domain. */
  Optional<DueRow> firstDue();

  /**
   * Returns the earliest due row of the next destination domain after the given one, in the order
   * of the domains' bytes in UTF-8. A walk by this method comes to each domain once.
   */
  Optional<DueRow> firstDueAfter(String domain);

  /** Returns rows of a domain that are due at or before the time, earliest first. */
  List<DueRow> dueRows(String domain, long untilMillis, int limit);

  Optional<SpooledMessage> message(QueueId id);

  /** Opens the bytes to send: prefix and content, streamed in chunks. */
  InputStream content(QueueId id);

  /**
   * Commits the outcomes of one attempt together with the DSN about them: both or neither. Blocks
   * until committed. A message without pending recipients is removed. When this term has ended, a
   * later term of this node may commit the outcomes; until this returns, no other attempt may begin
   * for these recipients.
   *
   * @param results with the DSN at most {@link #RECORD_BYTES_MAX}, as bytes of UTF-8
   * @return false when they were refused: another node may own the spool and tries again
   */
  boolean recordOutcomes(
      QueueId id, List<RecipientOutcome> results, @Nullable DsnMessage notification);

  /**
   * A delivery status notification, accepted into the spool as a message.
   *
   * @param aboutDelay sets {@link SpooledMessage#delayReported} of the message that it is about
   */
  record DsnMessage(QueueId id, Envelope envelope, byte[] content, boolean aboutDelay) {}

  /** Deliveries whose final dot is out and whose outcome is not committed yet. */
  interface InDoubtDeliveries extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * A message with pending recipients in this domain, due at this time (milliseconds of the epoch).
   */
  record DueRow(String domain, long dueMillis, QueueId id) {}
}
