package org.quorumail.smtp.client;

import java.util.List;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.RecipientOutcome;

/** The result of one transaction. */
public sealed interface SendResult {
  /**
   * The server replied for every recipient.
   *
   * @param outcomes in the order of the transaction, each with the recipient's place in it
   * @param leftOver the places of recipients that were too many for one transaction (RFC 5321
   *     §4.5.3.1.10): they need another one, now
   * @param sessionEnds whether the server said 421
   */
  record Answered(List<RecipientOutcome> outcomes, List<Integer> leftOver, boolean sessionEnds)
      implements SendResult {
    public Answered {
      outcomes = List.copyOf(outcomes);
      leftOver = List.copyOf(leftOver);
    }
  }

  /** The server lacks what this message needs, so no retry can help. The status has class 5. */
  record NotSendable(EnhancedStatus status, String reason) implements SendResult {}

  /** The guard denied the final dot. Nothing was delivered, and the connection is closed. */
  record FinalDotDenied() implements SendResult {}

  /** This node cannot read the content. Nothing was delivered, and the connection is closed. */
  record Unreadable(String reason) implements SendResult {}

  /**
   * The connection failed, or the server broke the protocol. The connection is closed.
   *
   * @param staleSession whether the session served another message before and the server has begun
   *     no transaction for this one, so that a new connection may do
   * @param outcomes of the recipients for which the server had replied before
   * @param inDoubt the places of recipients that may have received the message: the final dot was
   *     sent for them, and its reply was not read
   */
  record Broken(
      String reason, boolean staleSession, List<RecipientOutcome> outcomes, List<Integer> inDoubt)
      implements SendResult {
    public Broken {
      outcomes = List.copyOf(outcomes);
      inDoubt = List.copyOf(inDoubt);
    }
  }
}
