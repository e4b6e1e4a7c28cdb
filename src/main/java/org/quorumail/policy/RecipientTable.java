package org.quorumail.policy;

import org.quorumail.mail.MailAddress;

/**
 * Knows which recipients exist in the domains that are accepted from anyone: a file, an HTTP
 * service, a directory, or one of others, found by {@link java.util.ServiceLoader}. Thread-safe;
 * may block for a bounded time.
 */
public interface RecipientTable {
  Existence find(MailAddress address);

  enum Existence {
    KNOWN,
    UNKNOWN,
    /** Nobody can say now: the client is told to come again. */
    UNAVAILABLE
  }
}
