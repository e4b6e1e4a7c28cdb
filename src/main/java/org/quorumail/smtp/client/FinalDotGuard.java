package org.quorumail.smtp.client;

/** The last check before a message is handed over, made when all but its end has been sent. */
@FunctionalInterface
public interface FinalDotGuard {
  /**
   * Returns whether the final dot may be sent now to so many recipients. From then on they may have
   * the message, whether the reply arrives or not. False closes the connection without the dot.
   */
  boolean mayBeSent(int recipients);
}
