package org.quorumail.gossip.transport;

/** A member's bytes are not in this node's format: a later version, or a bug. */
final class MalformedFrame extends Exception {
  private static final long serialVersionUID = 1L;

  MalformedFrame(String message) {
    super(message);
  }

  MalformedFrame(String message, Throwable cause) {
    super(message, cause);
  }
}
