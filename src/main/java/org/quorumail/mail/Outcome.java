package org.quorumail.mail;

import java.time.Instant;

/**
 * The result of one attempt for one recipient, from the reply of the remote server to the record in
 * the spool. Permanent and transient failure are different types, so that nothing can confuse them.
 */
public sealed interface Outcome {
  EnhancedStatus status();

  /** The reply or the reason in words: one line without control characters. */
  String diagnostic();

  /** The host that replied ({@code name[address]:port}), or empty when none was reached. */
  String remote();

  /** The next hop took responsibility (2xx to the final dot). */
  record Delivered(
      EnhancedStatus status, String diagnostic, String remote, SuccessReport successReport)
      implements Outcome {
    /** A delivery of which this node sends no report. */
    public Delivered(EnhancedStatus status, String diagnostic, String remote) {
      this(status, diagnostic, remote, SuccessReport.BY_NEXT_HOP);
    }
  }

  /**
   * A transient failure.
   *
   * @param until the time of the next attempt; {@link #UNSCHEDULED} until the queue has set it. A
   *     time that a rule sets is the earliest that it wants
   */
  record Deferred(Instant until, EnhancedStatus status, String diagnostic, String remote)
      implements Outcome {
    /** The time in an outcome that the retry schedule has not seen yet. It cannot be stored. */
    public static final Instant UNSCHEDULED = Instant.MAX;

    /** A transient failure as an attempt reports it. */
    public Deferred(EnhancedStatus status, String diagnostic, String remote) {
      this(UNSCHEDULED, status, diagnostic, remote);
    }
  }

  /** A permanent failure: the recipient is reported to the sender. */
  record Failed(EnhancedStatus status, String diagnostic, String remote) implements Outcome {}

  /**
   * The report that a success makes due where its sender asked for one (RFC 3461 §5.2). It is not
   * stored: the report is composed together with the record of the outcome.
   */
  enum SuccessReport {
    /** None of ours: the next hop received all demands and reports by itself. */
    BY_NEXT_HOP,
    /** "Relayed": the next hop sends no reports. */
    RELAYED,
    /** "Expanded": the recipient is an alias for several, who are recipients of their own. */
    EXPANDED,
    /** "Delivered": the next hop has put the message into the mailbox. */
    DELIVERED
  }
}
