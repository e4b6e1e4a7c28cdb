package org.quorumail.auth;

/**
 * One authentication exchange seen from the server, RFC 4422 §3: each response of the client makes
 * a step. The exchange is over after any step but a challenge. Used by one thread, once.
 */
public interface Mechanism {
  /** The first challenge, for a client that sent no initial response; often empty. */
  default byte[] prompt() {
    return new byte[0];
  }

  /** Takes the client's next response, of any content and of any length that its reader allows. */
  Step next(byte[] response);

  /** What comes of a response. Reasons are for the log: they never show a secret. */
  sealed interface Step {
    record Challenge(byte[] data) implements Step {}

    record Authenticated(User user) implements Step {}

    /**
     * Not proved.
     *
     * @param name who was claimed; empty when it did not come to that
     */
    record Denied(String name, String reason) implements Step {}

    /** No message of this mechanism. */
    record Malformed(String reason) implements Step {}

    /** Neither proved nor disproved, because something of ours does not work now. */
    record Unavailable(String reason) implements Step {}
  }
}
