package org.quorumail.mail;

/**
 * The outcome of one attempt for one recipient.
 *
 * @param recipientIndex the place of the recipient in the envelope
 */
public record RecipientOutcome(int recipientIndex, Outcome outcome) {
  /** The same recipient with another outcome. */
  public RecipientOutcome withOutcome(Outcome other) {
    return new RecipientOutcome(recipientIndex, other);
  }
}
