package org.quorumail.auth;

/**
 * One authentication exchange on the server's side, RFC 4422 §3. Each response of the client makes
 * a step; any step but a challenge ends the exchange. Used by one thread, for one exchange.
 */
public interface SaslMechanism {
  /** The first challenge, for a client that sent no initial response; often empty. */
  default byte[] initialChallenge() {
    return new byte[0];
  }

  /** Evaluates the client's next response, of any content and length. */
  SaslStep evaluateResponse(byte[] response);

  /** The step that follows a response. Reasons are for the log and never contain a secret. */
  sealed interface SaslStep {
    record Challenge(byte[] data) implements SaslStep {}

    record Authenticated(User user) implements SaslStep {}

    /**
     * The identity is not proved.
     *
     * @param name claimed by the client; empty when the client claimed none
     */
    record Denied(String name, String reason) implements SaslStep {}

    /** The response is no message of this mechanism. */
    record Malformed(String reason) implements SaslStep {}

    /**
     * The password is not checked: the client or the name has too many failures.
     *
     * @param name claimed by the client
     */
    record Limited(String name) implements SaslStep {}

    /** The server cannot check the identity now. */
    record Unavailable(String reason) implements SaslStep {}
  }
}
