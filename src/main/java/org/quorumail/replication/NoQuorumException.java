package org.quorumail.replication;

import org.jspecify.annotations.Nullable;

/** No quorum confirmed an entry in time; it may or may not be committed later. */
public final class NoQuorumException extends Exception {
  private static final long serialVersionUID = 1L;

  public NoQuorumException(String message) {
    super(message);
  }

  public NoQuorumException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
