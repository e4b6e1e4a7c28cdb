package org.quorumail.mail;

/**
 * The outcome of one attempt for one recipient.
 *
 * @param recipientIndex the place of the recipient in the envelope
 * @param tls protocol and cipher suite of the session with the remote host; empty for a plain
 *     connection or none
 */
public record RecipientOutcome(int recipientIndex, Outcome outcome, String tls) {
  /** An outcome without TLS. */
  public RecipientOutcome(int recipientIndex, Outcome outcome) {
    this(recipientIndex, outcome, "");
  }

  /** The same outcome with the TLS of its session. */
  public RecipientOutcome withTls(String used) {
    return used.equals(tls) ? this : new RecipientOutcome(recipientIndex, outcome, used);
  }

  /** The same recipient with another outcome. */
  public RecipientOutcome withOutcome(Outcome other) {
    return new RecipientOutcome(recipientIndex, other, tls);
  }
}
