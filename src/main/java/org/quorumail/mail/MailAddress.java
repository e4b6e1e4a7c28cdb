package org.quorumail.mail;

import java.util.Locale;

/**
 * A mailbox, RFC 5321 §4.1.2: local part as the client wrote it, domain in lower case. The SMTP
 * parser decides whether the text was a legal path; this value only holds it.
 *
 * @param localPart as received, quoted string included; case is kept (§2.4); characters above ASCII
 *     (RFC 6531) are kept unchanged, in any normal form
 * @param domain lower case, in its ASCII form (A-labels), without a final dot; an address literal
 *     keeps its brackets; empty only for the bare {@code postmaster} of §4.5.1
 */
public record MailAddress(String localPart, String domain) {
  public MailAddress {
    domain = domain.toLowerCase(Locale.ROOT);
  }

  /** Splits at the last {@code @}. The text has passed a parser already. */
  public static MailAddress of(String text) {
    int at = text.lastIndexOf('@');
    return at < 0
        ? new MailAddress(text, "")
        : new MailAddress(text.substring(0, at), text.substring(at + 1));
  }

  /** Returns the address, with this domain when it has none. */
  public MailAddress qualified(String otherDomain) {
    return domain.isEmpty() ? new MailAddress(localPart, otherDomain) : this;
  }

  /** Returns whether every hop can take the address; else it needs SMTPUTF8 (RFC 6531). */
  public boolean ascii() {
    for (int i = 0; i < localPart.length(); i++) if (localPart.charAt(i) > 0x7F) return false;
    for (int i = 0; i < domain.length(); i++) if (domain.charAt(i) > 0x7F) return false;
    return true;
  }

  /** The address for a log line: all but printable ASCII is escaped. */
  public String printable() {
    StringBuilder text = new StringBuilder();
    toString()
        .chars()
        .forEach(
            c -> {
              if (c >= ' ' && c <= '~') text.append((char) c);
              else text.append(String.format("\\u%04x", c));
            });
    return text.toString();
  }

  @Override
  public String toString() {
    return domain.isEmpty() ? localPart : localPart + "@" + domain;
  }
}
