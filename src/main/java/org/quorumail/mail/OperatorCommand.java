package org.quorumail.mail;

/** A command of an operator about messages in the queue. */
public sealed interface OperatorCommand {
  /**
   * Makes all pending recipients due at once.
   *
   * @param releases whether a held message is released first; else it is skipped
   */
  record Retry(boolean releases) implements OperatorCommand {}

  /** Keeps the message until it is released. */
  record Hold() implements OperatorCommand {}

  /** Ends a hold; the message is due at once. */
  record Release() implements OperatorCommand {}

  /**
   * Ends all recipients that wait as failed.
   *
   * @param reason in the report to the sender; may be empty
   * @param silent whether the sender gets no report
   */
  record Bounce(String reason, boolean silent) implements OperatorCommand {}

  /** Removes the message without a report to anybody. */
  record Delete() implements OperatorCommand {}
}
