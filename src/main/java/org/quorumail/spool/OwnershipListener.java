package org.quorumail.spool;

import java.util.List;
import org.quorumail.mail.QueueId;

/** Told which spools this node owns and what arrives in them. Calls must not block. */
public interface OwnershipListener {
  void spoolOwned(OwnedSpool spool);

  /** Attempts under way may finish their dialogue, but not send a final dot any more. */
  void spoolLost(OwnedSpool spool);

  /**
   * A message was committed (or released, retried) and is due now; a hint that may be missed, the
   * index is the truth.
   */
  void messageDue(OwnedSpool spool, QueueId id, List<String> domains);
}
