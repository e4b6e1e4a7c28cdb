package org.quorumail.policy;

import org.quorumail.mail.MailAddress;

/**
 * A table of the recipients that exist in the local domains: a file, an HTTP service, a directory,
 * or an extension found by {@link java.util.ServiceLoader}. Thread-safe; may block for a bounded
 * time.
 */
public interface RecipientTable {
  Existence find(MailAddress address);

  enum Existence {
    KNOWN,
    UNKNOWN,
    /** The table cannot answer now: the recipient is deferred. */
    UNAVAILABLE
  }
}
