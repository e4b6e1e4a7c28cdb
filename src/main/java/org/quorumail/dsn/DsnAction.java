package org.quorumail.dsn;

/** The Action field of a recipient, RFC 3464 §2.3.3. */
public enum DsnAction {
  FAILED("failed"),
  DELAYED("delayed"),
  /** Handed to a mail store by LMTP, so it is in the mailbox as far as this node can know. */
  DELIVERED("delivered"),
  /** Handed to a host that sends no reports: no other report will follow (RFC 3461 §5.2.2). */
  RELAYED("relayed"),
  /** An alias for several, to whom the message is sent on; their successes are not reported. */
  EXPANDED("expanded");

  private final String value;

  DsnAction(String value) {
    this.value = value;
  }

  String value() {
    return value;
  }
}
