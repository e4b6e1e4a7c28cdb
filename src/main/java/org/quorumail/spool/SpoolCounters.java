package org.quorumail.spool;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The counts of the messages in a spool and of those that have left it. Every batch writes them, so
 * a query costs nothing.
 *
 * @param pending messages never tried
 * @param retry messages tried and due again
 * @param held messages that wait for an operator
 * @param bytes bytes of all these messages
 * @param accepted messages since the spool exists, DSNs included
 * @param completed of them delivered to every recipient
 * @param failed of them ended with at least one recipient that failed
 * @param expired of the failed those whose time or attempts ran out
 * @param removed of them removed by an operator
 */
public record SpoolCounters(
    long pending,
    long retry,
    long held,
    long bytes,
    long accepted,
    long completed,
    long failed,
    long expired,
    long removed) {
  static final SpoolCounters NONE = new SpoolCounters(0, 0, 0, 0, 0, 0, 0, 0, 0);

  private static final int FIELDS = 9;

  /** Messages in the spool. */
  public long messages() {
    return pending + retry + held;
  }

  public SpoolCounters plus(SpoolCounters o) {
    return new SpoolCounters(
        pending + o.pending,
        retry + o.retry,
        held + o.held,
        bytes + o.bytes,
        accepted + o.accepted,
        completed + o.completed,
        failed + o.failed,
        expired + o.expired,
        removed + o.removed);
  }

  /** Returns whether no count is negative and every accepted message is either here or has left. */
  boolean areValid() {
    boolean negative = pending < 0 || retry < 0 || held < 0 || bytes < 0;
    long ended = completed + failed + removed;
    return !negative && expired <= failed && messages() + ended == accepted;
  }

  public long count(MessageStatus status) {
    return switch (status) {
      case PENDING -> pending;
      case RETRY -> retry;
      case HELD -> held;
    };
  }

  byte[] row() {
    return new ByteWriter(FIELDS * 8)
        .i64(pending)
        .i64(retry)
        .i64(held)
        .i64(bytes)
        .i64(accepted)
        .i64(completed)
        .i64(failed)
        .i64(expired)
        .i64(removed)
        .finish();
  }

  static SpoolCounters of(byte[] row) throws IOException {
    ByteReader in = new ByteReader(ByteBuffer.wrap(row), "the counters' row");
    SpoolCounters counters =
        new SpoolCounters(
            in.i64(), in.i64(), in.i64(), in.i64(), in.i64(), in.i64(), in.i64(), in.i64(),
            in.i64());
    in.end();
    return counters;
  }

  /** The differences that one entry makes. */
  static final class Delta {
    private long pending;
    private long retry;
    private long held;
    private long bytes;
    private long accepted;
    private long completed;
    private long failed;
    private long expired;
    private long removed;

    void add(SpooledMessage message) {
      count(message, 1);
      accepted++;
    }

    void update(SpooledMessage before, SpooledMessage after) {
      count(before, -1);
      count(after, 1);
    }

    void remove(SpooledMessage message, FinalStatus ending) {
      count(message, -1);
      switch (ending) {
        case COMPLETED -> completed++;
        case FAILED -> failed++;
        case EXPIRED -> {
          failed++;
          expired++;
        }
        case REMOVED -> removed++;
      }
    }

    SpoolCounters applyTo(SpoolCounters old) {
      return old.plus(
          new SpoolCounters(
              pending, retry, held, bytes, accepted, completed, failed, expired, removed));
    }

    private void count(SpooledMessage message, int sign) {
      switch (MessageStatus.indexedStatus(message)) {
        case PENDING -> pending += sign;
        case RETRY -> retry += sign;
        case HELD -> held += sign;
      }
      bytes += sign * message.size();
    }
  }

  /** The way in which a message left the spool. */
  enum FinalStatus {
    COMPLETED,
    FAILED,
    EXPIRED,
    REMOVED
  }
}
