package org.quorumail.spool;

import java.util.List;
import org.quorumail.mail.QueueId;

/**
 * The listener for spools that this node owns and for mail that becomes due in them. Calls must not
 * block.
 */
public interface OwnershipListener {
  void spoolOwned(OwnedSpool spool);

  /** Attempts under way may finish their dialogue, but must not send a final dot any more. */
  void spoolLost(OwnedSpool spool);

  /**
   * A message is due now: it was committed, released or retried. This is a hint that may be missed;
   * the due index has every message.
   */
  void messageDue(OwnedSpool spool, QueueId id, List<String> domains);

  /** An operator retries a message, which is due now and must be tried in spite of any pause. */
  default void messageRetried(OwnedSpool spool, QueueId id, List<String> domains) {
    messageDue(spool, id, domains);
  }
}
