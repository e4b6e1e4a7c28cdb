package org.quorumail.dsn;

/** What became of a recipient, RFC 3464 §2.3.3. */
public enum DsnAction {
  FAILED("failed"),
  DELAYED("delayed"),
  /** In the mailbox, as far as we can know: handed over by LMTP. */
  DELIVERED("delivered"),
  /** Handed to a host that sends no reports: nothing more will be heard (RFC 3461 §5.2.2). */
  RELAYED("relayed"),
  /** An alias for several: to those it goes on, and of them no success is told. */
  EXPANDED("expanded");

  private final String value;

  DsnAction(String word) {
    this.value = word;
  }

  String value() {
    return value;
  }
}
