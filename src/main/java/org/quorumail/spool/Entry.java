package org.quorumail.spool;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.OwnedSpool.Result;

/**
 * What a spool's log says: the arrows of {@code docs/spool-states.md}. All times are those of the
 * proposer, so that every replica applies the same.
 */
sealed interface Entry {
  /** Messages begin to exist. Answered with one byte per message. */
  record Accept(List<NewMessage> messages) implements Entry {
    public Accept {
      messages = List.copyOf(messages);
    }
  }

  /** A part of a content that is too large for one entry; numbered from 0, without gaps. */
  record Chunk(QueueId upload, int number, long atMillis, Slice bytes) implements Entry {}

  /** An upload that no message has claimed is forgotten. */
  record AbortUpload(QueueId upload) implements Entry {}

  /**
   * Results of attempts that the owner made in a term. Answered with one byte per attempt.
   *
   * @param term refused when it is not the term of this entry in the log
   */
  record Outcomes(long term, List<AttemptResults> attempts) implements Entry {
    public Outcomes {
      attempts = List.copyOf(attempts);
    }
  }

  record Remove(QueueId id) implements Entry {}

  /** Entries that travel together and are applied together, in this order; never nested. */
  record Several(List<Entry> parts) implements Entry {
    public Several {
      parts = List.copyOf(parts);
    }
  }

  record Hold(QueueId id) implements Entry {}

  record Release(QueueId id, long atMillis) implements Entry {}

  /** All pending recipients are due at that time. */
  record Retry(QueueId id, long atMillis) implements Entry {}

  /** A message and where its content is. */
  record NewMessage(SpooledMessage message, Body body) {}

  /** Where the content of a new message is. */
  sealed interface Body {
    /** In the entry itself. */
    record Inline(Slice bytes) implements Body {}

    /** In the chunks of the upload that has the message's id. */
    record Uploaded(int chunks) implements Body {}
  }

  /** The results of one attempt and the report about them: both are applied or neither. */
  record AttemptResults(QueueId id, List<Result> results, @Nullable Report report) {
    public AttemptResults {
      results = List.copyOf(results);
    }
  }

  /** A delivery status notification; see {@link OwnedSpool.Notification}. */
  record Report(NewMessage message, boolean aboutDelay) {}

  /** Bytes inside a larger array, which nobody changes any more. */
  record Slice(byte[] array, int offset, int length) {
    static Slice of(byte[] array) {
      return new Slice(array, 0, array.length);
    }

    byte[] copy() {
      return Arrays.copyOfRange(array, offset, offset + length);
    }
  }
}
