package org.quorumail.spool;

/** Where a message in the spool stands. Whether it is in progress only its owner's queue knows. */
public enum MessageStatus {
  /** Never tried. */
  PENDING("pending"),
  /** Tried, and due again. */
  RETRY("retry"),
  /** Not due until an operator releases it, or until the time that its sender has set. */
  HELD("held");

  private final String text;

  MessageStatus(String text) {
    this.text = text;
  }

  /** The word of the command line and the API. */
  public String text() {
    return text;
  }

  /** How it stands at this time. */
  public static MessageStatus at(SpooledMessage message, long nowMillis) {
    MessageStatus status = indexedStatus(message);
    boolean released = !message.held() && message.deliverFromMillis() <= nowMillis;
    return status == HELD && released ? PENDING : status;
  }

  /**
   * The same without a clock, as the index and the counters have it: what its sender had held (RFC
   * 4865) stays held here until its first attempt, which follows at once.
   */
  static MessageStatus indexedStatus(SpooledMessage message) {
    if (message.held()) return HELD;
    if (message.recipients().stream().anyMatch(r -> r.attempts() > 0)) return RETRY;
    return message.options().holdUntilMillis() > 0 ? HELD : PENDING;
  }
}
