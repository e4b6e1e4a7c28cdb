package org.quorumail.mail;

/**
 * The time until which a message is wanted, RFC 2852.
 *
 * @param untilMillis milliseconds of the epoch
 * @param returnsWhenLate mode {@code R}: return the message when it is late; else mode {@code N}:
 *     tell the sender, and go on
 * @param trace whether every hop is to be reported as relayed
 */
public record DeliverBy(long untilMillis, boolean returnsWhenLate, boolean trace) {
  private static final long MAX_SECONDS = 999_999_999; // §4: by-time has at most nine digits

  /** The parameter's value at this time: seconds that are left, mode, trace. */
  public String parameter(long nowMillis) {
    long left = Math.floorDiv(untilMillis - nowMillis, 1000);
    long seconds = Math.max(-MAX_SECONDS, Math.min(MAX_SECONDS, left));
    return seconds + ";" + (returnsWhenLate ? "R" : "N") + (trace ? "T" : "");
  }
}
