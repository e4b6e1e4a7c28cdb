package org.quorumail.mail;

import java.util.Locale;

/**
 * A mailbox, RFC 5321 §4.1.2: local part as the client wrote it, domain in lower case. Whether the
 * text was a legal path is decided by the SMTP parser; this value only holds it.
 *
 * @param localPart as received, quoted string included; case is kept (§2.4)
 * @param domain lower case, without a final dot; an address literal keeps its brackets; empty only
 *     for the bare {@code postmaster} of §4.5.1
 */
public record MailAddress(String localPart, String domain) {
  public MailAddress {
    domain = domain.toLowerCase(Locale.ROOT);
  }

  /** Splits at the last {@code @}; for text that has already passed a parser or a configuration. */
  public static MailAddress of(String text) {
    int at = text.lastIndexOf('@');
    return at < 0
        ? new MailAddress(text, "")
        : new MailAddress(text.substring(0, at), text.substring(at + 1));
  }

  @Override
  public String toString() {
    return domain.isEmpty() ? localPart : localPart + "@" + domain;
  }
}
