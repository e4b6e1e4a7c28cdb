package org.quorumail.mail;

import java.time.Instant;

/**
 * What one attempt did for one recipient. Permanent and transient failure are different types, so
 * that nothing can confuse them.
 */
public sealed interface Outcome {
  /** The reply or reason in words, one line, already stripped of control characters. */
  String diagnostic();

  /** The host that gave the answer ({@code name[address]}), or empty when none was reached. */
  String remote();

  EnhancedStatus status();

  /** The next hop took responsibility (2xx to the final dot). */
  record Delivered(EnhancedStatus status, String diagnostic, String remote) implements Outcome {}

  /** Not now: the next attempt is due at {@code until}. */
  record Deferred(Instant until, EnhancedStatus status, String diagnostic, String remote)
      implements Outcome {}

  /** Never: the recipient is reported to the sender. */
  record Failed(EnhancedStatus status, String diagnostic, String remote) implements Outcome {}
}
