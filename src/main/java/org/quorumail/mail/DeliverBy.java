package org.quorumail.mail;

/**
 * The time by which a message should be delivered, RFC 2852.
 *
 * @param untilMillis milliseconds of the epoch
 * @param returnsWhenLate mode {@code R}: a late message is returned; else mode {@code N}: the
 *     sender is notified, and delivery goes on
 * @param trace whether every hop is reported as relayed
 */
public record DeliverBy(long untilMillis, boolean returnsWhenLate, boolean trace) {
  private static final long MAX_SECONDS = 999_999_999; // §4: by-time has at most nine digits

  /** The parameter's value at this time: the seconds that are left, mode, trace. */
  public String parameter(long nowMillis) {
    long left = Math.floorDiv(untilMillis - nowMillis, 1000);
    long seconds = Math.max(-MAX_SECONDS, Math.min(MAX_SECONDS, left));
    return seconds + ";" + (returnsWhenLate ? "R" : "N") + (trace ? "T" : "");
  }
}
