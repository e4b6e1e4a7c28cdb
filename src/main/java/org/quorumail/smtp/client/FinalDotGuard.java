package org.quorumail.smtp.client;

/** Asked when all but the end of a message has been written. */
@FunctionalInterface
public interface FinalDotGuard {
  /**
   * Whether the end may be sent now to so many recipients, who from then on may have the message
   * whatever happens to the answer. False abandons the connection without it.
   */
  boolean mayBeSent(int recipients);
}
