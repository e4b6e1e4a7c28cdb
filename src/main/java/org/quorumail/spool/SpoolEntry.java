package org.quorumail.spool;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;

/**
 * An entry of a spool's log: the arrows of {@code docs/spool-states.md}. All times are the
 * proposer's, so that every replica applies the same.
 */
sealed interface SpoolEntry {
  /** Accepts messages. The result has one byte per message. */
  record Accept(List<NewMessage> messages) implements SpoolEntry {
    public Accept {
      messages = List.copyOf(messages);
    }
  }

  /**
   * Accepts a message unless one with its key was accepted within 24 hours. All members of the
   * group must run a release that knows this entry.
   */
  record AcceptOnce(RequestKey key, NewMessage message) implements SpoolEntry {}

  /** A part of a content that is too large for one entry. Numbers start at 0 and have no gaps. */
  record Chunk(QueueId upload, int number, long atMillis, ByteSlice bytes) implements SpoolEntry {}

  /** Drops an upload that no message has claimed. */
  record AbortUpload(QueueId upload) implements SpoolEntry {}

  /**
   * Records the outcomes of attempts that the owner made in a term. The result has one byte per
   * attempt.
   *
   * @param term refused unless it is the term of this entry in the log
   */
  record Outcomes(long term, List<AttemptOutcomes> attempts) implements SpoolEntry {
    public Outcomes {
      attempts = List.copyOf(attempts);
    }
  }

  /**
   * Removes a message without a report.
   *
   * @param atMillis for the event of it; 0 for none
   */
  record Remove(QueueId id, long atMillis) implements SpoolEntry {
    Remove(QueueId id) {
      this(id, 0);
    }
  }

  /** Entries that are appended together and applied together, in this order; never nested. */
  record Batch(List<SpoolEntry> parts) implements SpoolEntry {
    public Batch {
      parts = List.copyOf(parts);
    }
  }

  /**
   * Keeps a message until it is released.
   *
   * @param atMillis for the event of it; 0 for none
   */
  record Hold(QueueId id, long atMillis) implements SpoolEntry {
    Hold(QueueId id) {
      this(id, 0);
    }
  }

  record Release(QueueId id, long atMillis) implements SpoolEntry {}

  /** Makes all pending recipients due at that time. */
  record Retry(QueueId id, long atMillis) implements SpoolEntry {}

  /**
   * Closes the spool for good. Refused while a message is in it; afterwards it accepts none. All
   * members of the group must run a release that knows this entry.
   */
  record Close() implements SpoolEntry {}

  /**
   * Begins the next segment of the events and drops the oldest ones. Refused unless it follows the
   * present segment.
   *
   * @param dropBefore the first segment that stays
   */
  record EventSegment(int number, int dropBefore, long atMillis) implements SpoolEntry {}

  /**
   * A new message.
   *
   * @param prefix the bytes that are sent before the content, see {@link StoredMessage}
   * @param arrival for the event of it; null for none
   */
  record NewMessage(
      SpooledMessage message,
      ByteSlice prefix,
      ContentLocation content,
      @Nullable Arrival arrival) {
    NewMessage(SpooledMessage message, ByteSlice prefix, ContentLocation content) {
      this(message, prefix, content, null);
    }
  }

  /** The location of a new message's content. */
  sealed interface ContentLocation {
    /** A content in the entry itself. */
    record Inline(ByteSlice bytes) implements ContentLocation {}

    /** A content in the chunks of the upload with the message's id. */
    record Uploaded(int chunks) implements ContentLocation {}
  }

  /**
   * The outcomes of one attempt and the DSN about them: both are applied or neither.
   *
   * @param atMillis for the events of them; 0 for none
   */
  record AttemptOutcomes(
      QueueId id, List<RecipientOutcome> outcomes, @Nullable Dsn dsn, long atMillis) {
    public AttemptOutcomes {
      outcomes = List.copyOf(outcomes);
    }

    AttemptOutcomes(QueueId id, List<RecipientOutcome> outcomes, @Nullable Dsn dsn) {
      this(id, outcomes, dsn, 0);
    }
  }

  /** A delivery status notification; see {@link OwnedSpool.DsnMessage}. */
  record Dsn(NewMessage message, boolean aboutDelay) {}

  /** Bytes inside a larger array, which no longer changes. */
  record ByteSlice(byte[] array, int offset, int length) {
    static final ByteSlice EMPTY = of(new byte[0]);

    static ByteSlice of(byte[] array) {
      return new ByteSlice(array, 0, array.length);
    }

    byte[] copy() {
      return Arrays.copyOfRange(array, offset, offset + length);
    }
  }
}
