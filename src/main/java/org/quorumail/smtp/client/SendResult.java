package org.quorumail.smtp.client;

import java.util.List;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.Reply;

/** What became of a transaction. */
public sealed interface SendResult {
  /** Every recipient was answered, in the order of the transaction. */
  record Answered(List<RecipientResult> recipients) implements SendResult {
    public Answered {
      recipients = List.copyOf(recipients);
    }
  }

  /** The server cannot take this message, whoever asks again: status of class 5. */
  record NotSendable(EnhancedStatus status, String reason) implements SendResult {}

  /** The final dot was not allowed any more; nothing was delivered, the connection is gone. */
  record FinalDotDenied() implements SendResult {}

  /** The content could not be read here; nothing was delivered, the connection is gone. */
  record Unreadable(String reason) implements SendResult {}

  /**
   * The connection failed, or the server did not speak SMTP; the connection is gone.
   *
   * @param noReplyRead whether the server had not said a word in this transaction: a connection
   *     kept for reuse that it had closed meanwhile looks like this
   */
  record Broken(String reason, boolean noReplyRead) implements SendResult {}

  /** The answer for one recipient. */
  sealed interface RecipientResult {
    /** The server took responsibility. */
    record Accepted(Reply reply) implements RecipientResult {}

    /** 4xx or 5xx, to the command named. */
    record Refused(Reply reply, String command) implements RecipientResult {}

    /**
     * By LMTP: the connection was lost before the answer after the dot. Others have theirs, and
     * those that the server took must not get the message again.
     */
    record Lost(String reason) implements RecipientResult {}

    /** One recipient too many for one transaction (RFC 5321 §4.5.3.1.10): wants another, now. */
    record LeftOver() implements RecipientResult {}
  }
}
