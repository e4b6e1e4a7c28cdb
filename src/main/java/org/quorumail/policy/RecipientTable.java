package org.quorumail.policy;

import org.quorumail.mail.MailAddress;

/**
 * A table of the recipients that exist in the local domains: a file, an HTTP service, a directory,
 * or an extension found by {@link java.util.ServiceLoader}. Thread-safe; may block for a bounded
 * time.
 */
public interface RecipientTable {
  /**
   * Looks up a recipient.
   *
   * @param address in {@linkplain MailAddress#canonical canonical} form
   */
  Existence find(MailAddress address);

  /**
   * Looks up a recipient whose local part a later host could read as an address ({@code
   * user%other.example}). An entry for a whole domain does not count: it would open a relay.
   */
  default Existence findExact(MailAddress address) {
    return find(address);
  }

  enum Existence {
    KNOWN,
    UNKNOWN,
    /** The table cannot answer now: the recipient is deferred. */
    UNAVAILABLE
  }
}
