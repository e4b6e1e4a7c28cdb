package org.quorumail.spool;

/**
 * The status of a message in the spool. Only its owner's queue knows whether an attempt is running.
 */
public enum MessageStatus {
  /** No attempt was made. */
  PENDING("pending"),
  /** An attempt was made, and another one is due. */
  RETRY("retry"),
  /** Not due until an operator releases it, or until the time that its sender has set. */
  HELD("held");

  private final String text;

  MessageStatus(String text) {
    this.text = text;
  }

  /** The name in the command line and the API. */
  public String text() {
    return text;
  }

  /** Returns the status at this time. */
  public static MessageStatus at(SpooledMessage message, long nowMillis) {
    MessageStatus status = indexedStatus(message);
    boolean released = !message.held() && message.deliverFromMillis() <= nowMillis;
    return status == HELD && released ? PENDING : status;
  }

  /**
   * Returns the status without a clock, for the index and the counters. A message that its sender
   * has held (RFC 4865) stays held here until its first attempt, which follows its release time at
   * once.
   */
  static MessageStatus indexedStatus(SpooledMessage message) {
    if (message.held()) return HELD;
    if (message.recipients().stream().anyMatch(r -> r.attempts() > 0)) return RETRY;
    return message.options().holdUntilMillis() > 0 ? HELD : PENDING;
  }
}
