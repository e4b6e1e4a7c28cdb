package org.quorumail.mail;

import java.util.Locale;
import org.quorumail.config.LocalPart;

/**
 * A mailbox, RFC 5321 §4.1.2: local part in the client's case, domain in lower case. The SMTP
 * parser decides whether the text was a legal path; this value only holds it.
 *
 * @param localPart with the least quoting that §4.1.2 allows, if it came through the SMTP parser;
 *     case is kept (§2.4); characters above ASCII (RFC 6531) are kept unchanged, in any normal form
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

  /**
   * Returns the address in the form that all ways to write this mailbox share ({@link
   * LocalPart#canonical}). Case is kept.
   */
  public MailAddress canonical() {
    String local = LocalPart.canonical(localPart);
    return local.equals(localPart) ? this : new MailAddress(local, domain);
  }

  /**
   * The key of every list and table: equal for all ways to write a mailbox, in lower case. No key
   * equals {@code "@" + domain}, the key of all addresses of a domain.
   */
  public String lookupKey() {
    String local = LocalPart.lookupKey(localPart);
    return domain.isEmpty() ? local : local + "@" + domain;
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
