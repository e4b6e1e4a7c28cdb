package org.quorumail.classification;

import org.quorumail.mail.FailureClass;

/**
 * The class of a failure, the rule that gave it, and the action that follows.
 *
 * @param rule the name of the rule; {@value #NO_RULE} when none fits
 */
public record Classification(FailureClass failureClass, String rule, FailureAction action) {
  /** The name in place of a rule's. */
  public static final String NO_RULE = "none";
}
