package org.quorumail.mail;

/**
 * One recipient of an envelope, with the demands of RCPT for it.
 *
 * @param notifyOn the NOTIFY parameter
 * @param originalRecipient the ORCPT parameter's value as it came, {@code type;xtext} (RFC 3461
 *     §4.2); empty when there was none
 * @param expanded whether this is an alias for several, who are recipients too: nothing is
 *     delivered to it, but its expansion is reported to its sender (RFC 3461 §5.2.7.3)
 */
public record Recipient(
    MailAddress address, Notify notifyOn, String originalRecipient, boolean expanded) {
  public Recipient(MailAddress address, Notify reports, String originalRecipient) {
    this(address, reports, originalRecipient, false);
  }

  /** A recipient without demands. */
  public Recipient(MailAddress address) {
    this(address, Notify.UNSPECIFIED, "");
  }

  /** The same demands for another address. */
  public Recipient withAddress(MailAddress other) {
    return new Recipient(other, notifyOn, originalRecipient, expanded);
  }

  /** Returns whether RCPT made no demands. */
  public boolean hasNoDemands() {
    return !notifyOn.specified() && originalRecipient.isEmpty() && !expanded;
  }

  @Override
  public String toString() {
    return address.toString();
  }
}
