package org.quorumail.mail;

import java.util.Locale;

/**
 * A mailbox, RFC 5321 §4.1.2: local part as the client wrote it, domain in lower case. Whether the
 * text was a legal path is decided by the SMTP parser; this value only holds it.
 *
 * @param localPart as received, quoted string included; case is kept (§2.4); may have characters
 *     above ASCII (RFC 6531), which are kept as they came, in whatever normal form
 * @param domain lower case, in its ASCII form (A-labels), without a final dot; an address literal
 *     keeps its brackets; empty only for the bare {@code postmaster} of §4.5.1
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

  /** Whether every hop can take it; else it needs SMTPUTF8 (RFC 6531). */
  public boolean ascii() {
    for (int i = 0; i < localPart.length(); i++) if (localPart.charAt(i) > 0x7F) return false;
    for (int i = 0; i < domain.length(); i++) if (domain.charAt(i) > 0x7F) return false;
    return true;
  }

  /** The address for a log line: what is not printable ASCII is escaped. */
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
