package org.quorumail.smtp.server;

import org.quorumail.mail.QueueId;
import org.quorumail.smtp.Reply;

/** The result of the injection of one message. */
public sealed interface InjectionResult {
  /** A quorum has the message, or a filter of the operator has discarded it. */
  record Accepted(QueueId id) implements InjectionResult {}

  /**
   * The message is not accepted.
   *
   * @param reply the words that a client of SMTP would get
   * @param recipient the place of the refused recipient; {@link #NO_RECIPIENT} without one
   */
  record Refused(Cause cause, Reply reply, int recipient) implements InjectionResult {}

  /** The place of a recipient in a refusal that is about none. */
  int NO_RECIPIENT = -1;

  /** The kinds of refusals. */
  enum Cause {
    /** No quorum, or the node drains: try again, here or at another node. */
    UNAVAILABLE,
    DISK_FULL,
    /** The memory for messages on their way in is full. */
    BUSY,
    TOO_LARGE,
    /** The client may not use this sender. */
    SENDER,
    RECIPIENT,
    /** Another request with the same key was accepted meanwhile. */
    ACCEPTED_BEFORE,
    /** A filter or a rule refuses the content; by its code for now or for good. */
    CONTENT
  }
}
