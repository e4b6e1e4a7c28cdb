package org.quorumail.replication;

/**
 * A failed start of the node or of one of its groups. The message is one sentence that names the
 * directory, port or file at fault and the remedy.
 */
public final class RaftStartException extends Exception {
  private static final long serialVersionUID = 1L;

  public RaftStartException(String message) {
    super(message);
  }

  public RaftStartException(String message, Throwable cause) {
    super(message, cause);
  }
}
