package org.quorumail.auth;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.quorumail.config.Secret;

/**
 * The settings of {@code [auth]}. Without a users file, a directory and keys for tokens, nobody can
 * log in.
 *
 * @param mechanisms SASL mechanisms that may be offered, in this order
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

    /** The name in IANA's registry, in EHLO and in AUTH. */
    public String registeredName() {
      return registeredName;
    }
  }

  /**
   * The limits for failed logins.
   *
   * @param attempts failures after which a session is closed
   * @param failuresPerAddress failures from one client within the window
   * @param failuresPerUser failures under one name within the window
   * @param delay from the start of an attempt to the reply that it failed
   */
  public record AuthLimits(
      int attempts, int failuresPerAddress, int failuresPerUser, Duration window, Duration delay) {}

  /**
   * The settings of an LDAP directory.
   *
   * @param servers {@code ldap://host:port} or {@code ldaps://…}, all with one scheme; tried in
   *     order
   * @param ca PEM file; without it the issuers that the JDK trusts
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
   * The settings of signed tokens.
   *
   * @param keys JWKS file
   * @param audience accepted audiences; a token must name one
   * @param userClaim claim that holds the user's name
   * @param leeway tolerated difference of clocks
   */
  public record JwtConfig(
      Path keys, String issuer, List<String> audience, String userClaim, Duration leeway) {}
}
