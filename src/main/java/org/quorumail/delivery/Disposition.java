package org.quorumail.delivery;

import org.quorumail.mail.EnhancedStatus;

/** What an attempt came to for one recipient; when to try again is for the queue to say. */
public sealed interface Disposition {
  EnhancedStatus status();

  /** In words, one line, free of control characters. */
  String diagnostic();

  /** The host that answered, or empty when none was reached. */
  String remote();

  /** The next hop took responsibility. */
  record Delivered(EnhancedStatus status, String diagnostic, String remote)
      implements Disposition {}

  /** Not now. */
  record TryLater(EnhancedStatus status, String diagnostic, String remote) implements Disposition {}

  /** Never. */
  record Refused(EnhancedStatus status, String diagnostic, String remote) implements Disposition {}
}
