package org.quorumail.replication;

/**
 * The node or one of its groups cannot start. The message is one sentence that names the directory,
 * port or file at fault and what to do.
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
