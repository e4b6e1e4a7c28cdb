package org.quorumail.spool;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;

/**
 * What a spool's log says: the arrows of {@code docs/spool-states.md}. All times are those of the
 * proposer, so that every replica applies the same.
 */
sealed interface SpoolEntry {
  /** Messages begin to exist. Answered with one byte per message. */
  record Accept(List<NewMessage> messages) implements SpoolEntry {
    public Accept {
      messages = List.copyOf(messages);
    }
  }

  /** A part of a content that is too large for one entry; numbered from 0, without gaps. */
  record Chunk(QueueId upload, int number, long atMillis, ByteSlice bytes) implements SpoolEntry {}

  /** An upload that no message has claimed is forgotten. */
  record AbortUpload(QueueId upload) implements SpoolEntry {}

  /**
   * Results of attempts that the owner made in a term. Answered with one byte per attempt.
   *
   * @param term refused when it is not the term of this entry in the log
   */
  record Outcomes(long term, List<AttemptOutcomes> attempts) implements SpoolEntry {
    public Outcomes {
      attempts = List.copyOf(attempts);
    }
  }

  record Remove(QueueId id) implements SpoolEntry {}

  /** Entries that travel together and are applied together, in this order; never nested. */
  record Batch(List<SpoolEntry> parts) implements SpoolEntry {
    public Batch {
      parts = List.copyOf(parts);
    }
  }

  record Hold(QueueId id) implements SpoolEntry {}

  record Release(QueueId id, long atMillis) implements SpoolEntry {}

  /** All pending recipients are due at that time. */
  record Retry(QueueId id, long atMillis) implements SpoolEntry {}

  /**
   * A new message.
   *
   * @param prefix what is sent before the content, see {@link StoredMessage}
   */
  record NewMessage(SpooledMessage message, ByteSlice prefix, ContentLocation content) {}

  /** Where the content of a new message is. */
  sealed interface ContentLocation {
    /** In the entry itself. */
    record Inline(ByteSlice bytes) implements ContentLocation {}

    /** In the chunks of the upload that has the message's id. */
    record Uploaded(int chunks) implements ContentLocation {}
  }

  /** The results of one attempt and the report about them: both are applied or neither. */
  record AttemptOutcomes(QueueId id, List<RecipientOutcome> outcomes, @Nullable Dsn dsn) {
    public AttemptOutcomes {
      outcomes = List.copyOf(outcomes);
    }
  }

  /** A delivery status notification; see {@link OwnedSpool.DsnMessage}. */
  record Dsn(NewMessage message, boolean aboutDelay) {}

  /** Bytes inside a larger array, which nobody changes any more. */
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
