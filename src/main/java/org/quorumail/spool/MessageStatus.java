package org.quorumail.spool;

/** Where a message in the spool stands. Whether it is in progress only its owner's queue knows. */
public enum MessageStatus {
  /** Never tried. */
  PENDING("pending"),
  /** Tried, and due again. */
  RETRY("retry"),
  /** Not due until an operator releases it. */
  HELD("held");

  private final String text;

  MessageStatus(String text) {
    this.text = text;
  }

  /** The word of the command line and the API. */
  public String text() {
    return text;
  }

  public static MessageStatus of(SpooledMessage message) {
    if (message.held()) return HELD;
    return message.recipients().stream().anyMatch(r -> r.attempts() > 0) ? RETRY : PENDING;
  }
}
