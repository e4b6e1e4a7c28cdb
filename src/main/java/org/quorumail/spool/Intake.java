package org.quorumail.spool;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;

/** The way of received mail into the spool. Thread-safe. */
public interface Intake {
  /**
   * Returns whether a message could be accepted now. Sessions ask at connect and at MAIL; the
   * answer is cheap and needs no I/O.
   */
  Readiness readiness();

  /**
   * Starts a message under a new queue id. Nothing is durable, and a crash leaves nothing, until
   * {@link MessageWriter#commit} has returned {@link CommitResult.Accepted}.
   */
  MessageWriter newMessage();

  /** Returns the messages that were accepted under the key of a request, as this node knows. */
  default RequestLookup requests(String request) {
    return new RequestLookup(List.of(), List.of(), false);
  }

  /**
   * The knowledge of this node about a request.
   *
   * @param spools the spools that it owns: of these it knows all requests
   * @param messages in these and in its other replicas
   * @param anyKnown whether it knows of any request at all
   */
  record RequestLookup(List<String> spools, List<AcceptedRequest> messages, boolean anyKnown) {
    public RequestLookup {
      spools = List.copyOf(spools);
      messages = List.copyOf(messages);
    }
  }

  /** The reason why mail can or cannot be accepted at the moment. */
  enum Readiness {
    READY,
    /** No spool with a quorum can be reached: 451 4.3.0, and 421 4.3.2 once it lasts. */
    NO_QUORUM,
    /** Less than {@code spool.min_free}: 452 4.3.1. */
    DISK_FULL,
    /** The node is leaving or in maintenance: 421 4.3.2. */
    DRAINING
  }

  /** One message on its way in, used by one thread. A close without a commit discards it. */
  interface MessageWriter extends AutoCloseable {
    byte[] NO_PREFIX = {};

    /**
     * The prefix is in the message's row, which every attempt reads and a deferral writes again.
     */
    int PREFIX_BYTES_MAX = 64 * 1024;

    QueueId id();

    /**
     * Takes the next bytes of the received content: CRLF line ends, dots unstuffed, without what
     * this host prepends. Blocks when the spool is slower than the client. Keeps at most 256 KiB in
     * memory per message; a larger content travels to the quorum as chunks.
     *
     * @throws IOException when the chunks cannot reach a quorum; {@link #commit} would refuse too
     */
    void write(byte[] bytes, int offset, int length) throws IOException;

    /** Makes the commit one of a request that may come again; called before it. */
    void onlyOnce(RequestKey key);

    /** Describes the way of the message for the events of it; before {@link #commit}. */
    default void arrival(Arrival arrival) {}

    /** Commits a message without a prefix that is not held. */
    default CommitResult commit(Envelope envelope) {
      return commit(envelope, NO_PREFIX, Optional.empty());
    }

    /**
     * Blocks until a quorum has the message on disk, or it is refused.
     *
     * @param prefix the header fields that this host prepends: the trace header first. They are
     *     stored beside the content and sent before it, so they may depend on all of it; at most
     *     {@link #PREFIX_BYTES_MAX}
     * @param holdReason why an operator must release the message before it may leave; kept with it
     */
    CommitResult commit(Envelope envelope, byte[] prefix, Optional<String> holdReason);

    @Override
    void close();
  }

  /** The result of a commit, which is the reply to the final dot. */
  sealed interface CommitResult {
    /** The message is on a quorum of disks. Only this result permits a 250. */
    record Accepted(QueueId id) implements CommitResult {}

    /** A message with the same key was accepted before; this one is not in the spool. */
    record AcceptedBefore() implements CommitResult {}

    /** The message is not accepted: 4xx. The reason is never {@link Readiness#READY}. */
    record Refused(Readiness reason) implements CommitResult {}
  }
}
