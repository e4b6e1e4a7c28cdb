package org.quorumail.spool;

import java.io.IOException;
import java.util.Optional;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;

/** Where sessions hand over mail. Thread-safe. */
public interface Intake {
  /** Whether a message could be accepted now; asked at connect and at MAIL, cheap, no I/O. */
  Readiness readiness();

  /**
   * Starts the reception of one message under a new queue id. Nothing is durable, and after a crash
   * nothing is left, until {@link MessageWriter#commit} has answered {@link CommitResult.Accepted}.
   */
  MessageWriter newMessage();

  /** Why mail can or cannot be accepted at the moment. */
  enum Readiness {
    READY,
    /** No spool with a quorum can be reached: 451 4.3.0, and 421 4.3.2 once it lasts. */
    NO_QUORUM,
    /** Less than {@code spool.min_free}: 452 4.3.1. */
    DISK_FULL,
    /** The node is leaving: 421 4.3.2. */
    DRAINING
  }

  /** One message on its way in, used by one thread. Closing without commit forgets all of it. */
  interface MessageWriter extends AutoCloseable {
    QueueId id();

    /**
     * Takes the next bytes of the message as it will be kept: trace header first, CRLF line ends,
     * dots unstuffed. Blocks when the spool is slower than the client. Keeps at most 256 KiB in
     * memory per reception; what is more travels to the quorum as chunks.
     *
     * @throws IOException when the chunks cannot reach a quorum; {@link #commit} would refuse too
     */
    void write(byte[] bytes, int offset, int length) throws IOException;

    /** Blocks until a quorum has the message on disk, or it is refused. */
    default CommitResult commit(Envelope envelope) {
      return commit(envelope, Optional.empty());
    }

    /**
     * The same, for a message that may not leave before an operator releases it.
     *
     * @param hold why it is held, if it is; kept with the message
     */
    CommitResult commit(Envelope envelope, Optional<String> hold);

    @Override
    void close();
  }

  /** The answer to the final dot. */
  sealed interface CommitResult {
    /** 250 may be said, from here and only from here. */
    record Accepted(QueueId id) implements CommitResult {}

    /** 4xx must be said; the reason is never {@link Readiness#READY}. */
    record Refused(Readiness reason) implements CommitResult {}
  }
}
