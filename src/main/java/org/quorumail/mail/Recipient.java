package org.quorumail.mail;

/**
 * One recipient of an envelope, with what RCPT asked for it.
 *
 * @param reports the NOTIFY parameter
 * @param originalRecipient the ORCPT parameter's value as it came, {@code type;xtext} (RFC 3461
 *     §4.2); empty when there was none
 */
public record Recipient(MailAddress address, Notify reports, String originalRecipient) {
  /** A recipient for whom nothing was asked. */
  public Recipient(MailAddress address) {
    this(address, Notify.UNSPECIFIED, "");
  }

  /** The same demands for another address, as an alias makes it. */
  public Recipient withAddress(MailAddress other) {
    return new Recipient(other, reports, originalRecipient);
  }

  /** Whether anything was asked. */
  public boolean plain() {
    return !reports.specified() && originalRecipient.isEmpty();
  }

  @Override
  public String toString() {
    return address.toString();
  }
}
