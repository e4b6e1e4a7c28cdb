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
  record Delivered(
      EnhancedStatus status, String diagnostic, String remote, Responsibility responsibility)
      implements Disposition {}

  /** Who tells the sender of a success that wants to hear of it, RFC 3461 §5.2. */
  enum Responsibility {
    /** The next hop: it was told all that the sender asked. */
    NEXT_HOP,
    /** We say "relayed": the next hop sends no reports. */
    RELAYED,
    /** We say "expanded": it was an alias for several, who are recipients of their own. */
    EXPANDED,
    /** We say "delivered": the next hop has put it into the mailbox. */
    DELIVERED
  }

  /** Not now. */
  record TryLater(EnhancedStatus status, String diagnostic, String remote) implements Disposition {}

  /** Never. */
  record Refused(EnhancedStatus status, String diagnostic, String remote) implements Disposition {}
}
