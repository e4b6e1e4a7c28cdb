package org.quorumail.auth;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.Secret;

/**
 * {@code [auth]}: who may log in and how. Without a users file, a directory and keys for tokens,
 * nobody can.
 *
 * @param mechanisms those that may be offered, in this order
 */
public record AuthConfig(
    Optional<Path> usersFile,
    List<MechanismName> mechanisms,
    boolean allowWithoutTls,
    AuthLimits limits,
    Optional<LdapConfig> ldap,
    Optional<JwtConfig> jwt) {

  /** The SASL mechanisms of this server. */
  public enum MechanismName {
    SCRAM_SHA_256_PLUS("SCRAM-SHA-256-PLUS"),
    SCRAM_SHA_256("SCRAM-SHA-256"),
    PLAIN("PLAIN"),
    LOGIN("LOGIN"),
    OAUTHBEARER("OAUTHBEARER"),
    XOAUTH2("XOAUTH2");

    private final String registeredName;

    MechanismName(String registeredName) {
      this.registeredName = registeredName;
    }

    /** As IANA's registry, EHLO and AUTH spell it. */
    public String registeredName() {
      return registeredName;
    }
  }

  /**
   * What failed logins lead to.
   *
   * @param attempts of one session
   * @param failuresPerAddress from one client within the window
   * @param failuresPerUser under one name within the window
   * @param delay from the beginning of an attempt to the answer that it failed
   */
  public record AuthLimits(
      int attempts, int failuresPerAddress, int failuresPerUser, Duration window, Duration delay) {}

  /**
   * An LDAP directory.
   *
   * @param servers {@code ldap://host:port} or {@code ldaps://…}, all of one kind; asked in order
   * @param ca PEM; without it the issuers that the JDK trusts
   * @param filter with {@code %u} for the name
   */
  public record LdapConfig(
      List<URI> servers,
      boolean startTls,
      Optional<Path> ca,
      Optional<String> bindDn,
      Optional<Secret> bindPassword,
      String baseDn,
      String filter,
      String addressAttribute,
      Duration timeout,
      int connections) {}

  /**
   * Signed tokens.
   *
   * @param keys a JWKS file
   * @param audience one of which a token must name
   * @param userClaim the claim that is the user's name
   * @param leeway for clocks that differ
   */
  public record JwtConfig(
      Path keys, String issuer, List<String> audience, String userClaim, Duration leeway) {}
}
