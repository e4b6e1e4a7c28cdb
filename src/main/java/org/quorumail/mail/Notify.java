package org.quorumail.mail;

/**
 * The NOTIFY parameter of RCPT, RFC 3461 §4.1: the events of a recipient that are reported to the
 * sender.
 *
 * @param specified whether the client gave the parameter; without it failures are reported, and
 *     delays at the discretion of this node (§4.1, last paragraph)
 */
public record Notify(boolean specified, boolean success, boolean failure, boolean delay) {
  public static final Notify UNSPECIFIED = new Notify(false, false, true, true);
  public static final Notify NEVER = new Notify(true, false, false, false);

  /** The same without reports of success. */
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
