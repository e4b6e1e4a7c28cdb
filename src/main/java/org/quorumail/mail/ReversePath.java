package org.quorumail.mail;

/** The address for reports about a message, RFC 5321 §4.1.1.2: a mailbox or the null path. */
public sealed interface ReversePath {
  /** {@code <>}: the message is a report; no report is made about it (§6.1). */
  record Null() implements ReversePath {
    @Override
    public String toString() {
      return "";
    }
  }

  record Mailbox(MailAddress address) implements ReversePath {
    @Override
    public String toString() {
      return address.toString();
    }
  }

  /** Returns whether every hop can take the path; else it needs SMTPUTF8 (RFC 6531). */
  default boolean ascii() {
    return !(this instanceof Mailbox mailbox) || mailbox.address().ascii();
  }

  /** Reads the text form: the mailbox without brackets; empty for the null path. */
  static ReversePath of(String text) {
    return text.isEmpty() ? new Null() : new Mailbox(MailAddress.of(text));
  }
}
