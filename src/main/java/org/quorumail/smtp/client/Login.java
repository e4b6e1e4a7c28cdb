package org.quorumail.smtp.client;

import java.io.IOException;

/**
 * The account by which this node logs in to a next hop.
 *
 * @param username never a secret; logs show it
 * @param secret read for each session, so that a change needs no restart
 * @param leastTls the TLS that a session needs before the secret is sent over it
 */
public record Login(String username, Kind kind, SecretSource secret, TlsRule leastTls) {

  /** The kind of the secret. */
  public enum Kind {
    /** For SCRAM-SHA-256(-PLUS), PLAIN or LOGIN, the strongest that the server offers. */
    PASSWORD,
    /** An access token for OAUTHBEARER or XOAUTH2 (RFC 7628). */
    TOKEN
  }

  /** The place of the secret. */
  @FunctionalInterface
  public interface SecretSource {
    /**
     * @throws IOException with one sentence that names the key and the file
     */
    String read() throws IOException;
  }

  @Override
  public String toString() {
    return username;
  }
}
