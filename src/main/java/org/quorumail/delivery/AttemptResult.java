package org.quorumail.delivery;

import java.util.List;
import org.quorumail.mail.RecipientOutcome;

/** The result of one step of a {@link DeliveryAttempt}. */
public sealed interface AttemptResult {
  /** Some recipients have an outcome, which the caller commits before the next step. */
  record Outcomes(List<RecipientOutcome> outcomes) implements AttemptResult {
    public Outcomes {
      outcomes = List.copyOf(outcomes);
    }
  }

  /** Nothing was tried, for a reason that passes. There is nothing to record. */
  record NotTried(String reason) implements AttemptResult {}

  /** This node cannot read the content. Nothing was delivered, and there is nothing to record. */
  record Unreadable(String reason) implements AttemptResult {}
}
