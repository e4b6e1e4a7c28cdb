package org.quorumail.auth;

/**
 * One authentication exchange seen from the server, RFC 4422 §3: each response of the client makes
 * a step. The exchange is over after any step but a challenge. Used by one thread, once.
 */
public interface SaslMechanism {
  /** The first challenge, for a client that sent no initial response; often empty. */
  default byte[] initialChallenge() {
    return new byte[0];
  }

  /** Takes the client's next response, of any content and of any length that its reader allows. */
  SaslStep evaluateResponse(byte[] response);

  /** What comes of a response. Reasons are for the log: they never show a secret. */
  sealed interface SaslStep {
    record Challenge(byte[] data) implements SaslStep {}

    record Authenticated(User user) implements SaslStep {}

    /**
     * Not proved.
     *
     * @param name who was claimed; empty when it did not come to that
     */
    record Denied(String name, String reason) implements SaslStep {}

    /** No message of this mechanism. */
    record Malformed(String reason) implements SaslStep {}

    /** Neither proved nor disproved, because something of ours does not work now. */
    record Unavailable(String reason) implements SaslStep {}
  }
}
