package org.quorumail.gossip.transport;

/** Bytes of a member that are not in our format: a version of the future, or a bug. */
final class MalformedFrame extends Exception {
  private static final long serialVersionUID = 1L;

  MalformedFrame(String message) {
    super(message);
  }

  MalformedFrame(String message, Throwable cause) {
    super(message, cause);
  }
}
