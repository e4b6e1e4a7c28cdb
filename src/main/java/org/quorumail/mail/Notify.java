package org.quorumail.mail;

/**
 * About which events of a recipient the sender wants to hear: the NOTIFY parameter of RCPT, RFC
 * 3461 §4.1.
 *
 * @param specified whether the client said so; without it failures are reported, and delays are at
 *     our discretion (§4.1, last paragraph)
 */
public record Notify(boolean specified, boolean success, boolean failure, boolean delay) {
  public static final Notify UNSPECIFIED = new Notify(false, false, true, true);
  public static final Notify NEVER = new Notify(true, false, false, false);

  /** The same, but that nobody hears of a success. */
  public Notify withoutSuccess() {
    return new Notify(specified, false, failure, delay);
  }

  /** The parameter's value, as it is passed on to a next hop. */
  @Override
  public String toString() {
    if (!success && !failure && !delay) return "NEVER";
    StringBuilder events = new StringBuilder();
    if (success) events.append(",SUCCESS");
    if (failure) events.append(",FAILURE");
    if (delay) events.append(",DELAY");
    return events.substring(1);
  }
}
