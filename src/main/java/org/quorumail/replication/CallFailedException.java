package org.quorumail.replication;

/**
 * A call to another node got no reply; the node may have received it. The message is one phrase
 * that follows the name of the node, such as "does not answer".
 */
public class CallFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  public CallFailedException(String message) {
    super(message);
  }

  CallFailedException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The reply is longer than a call carries: a request for less may succeed. */
  public static final class ReplyTooLong extends CallFailedException {
    private static final long serialVersionUID = 1L;

    public ReplyTooLong() {
      super("has more to reply than a call carries");
    }
  }
}
