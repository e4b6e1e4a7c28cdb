package org.quorumail.auth;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.quorumail.auth.AuthConfig.AuthLimits;
import org.quorumail.auth.AuthConfig.JwtConfig;
import org.quorumail.auth.AuthConfig.LdapConfig;
import org.quorumail.auth.AuthConfig.MechanismName;
import org.quorumail.config.Secret;
import org.quorumail.config.Section;

/** The reader of {@code [auth]}. */
public final class AuthConfigReader {
  private final Section auth;

  public AuthConfigReader(Section auth) {
    this.auth = auth;
  }

  public AuthConfig auth() {
    Optional<Path> usersFile =
        auth.optional(
            "users_file", "path", "", "file of users, written by `quorumail user add`", Path::of);
    List<MechanismName> mechanisms =
        auth.list(
            "mechanisms",
            "mechanisms",
            List.of("SCRAM-SHA-256", "PLAIN", "LOGIN"),
            "SASL mechanisms in EHLO, in this order; also SCRAM-SHA-256-PLUS, OAUTHBEARER, XOAUTH2",
            AuthConfigReader::mechanism);
    boolean allowWithoutTls =
        auth.flag("allow_without_tls", false, "whether connections without TLS offer AUTH");
    AuthLimits limits = limits();
    Optional<LdapConfig> ldap = ldap(auth.section("ldap"));
    Optional<JwtConfig> jwt = jwt(auth.section("jwt"));
    if (usersFile.isPresent() && ldap.isPresent()) {
      auth.problem(
          "users_file", "users come from a file or from auth.ldap, not from both: set one");
    }
    boolean bearer =
        mechanisms.contains(MechanismName.OAUTHBEARER)
            || mechanisms.contains(MechanismName.XOAUTH2);
    if (bearer && jwt.isEmpty()) {
      auth.problem("mechanisms", "OAUTHBEARER and XOAUTH2 need auth.jwt.keys");
    }
    return new AuthConfig(usersFile, mechanisms, allowWithoutTls, limits, ldap, jwt);
  }

  private AuthLimits limits() {
    return new AuthLimits(
        auth.integer("attempts", 5, 1, 100, "failed logins before a session is closed with 421"),
        auth.integer(
            "failures_per_ip",
            30,
            1,
            1_000_000,
            "failed logins from one address (IPv6: one /64) before it gets 421"),
        auth.integer(
            "failures_per_user",
            100,
            1,
            1_000_000,
            "failed logins under one name before clients that never logged in with it get 421"),
        auth.duration(
            "failure_window", "10m", "1s", "1d", "time window in which failures are counted"),
        auth.duration(
            "failure_delay",
            "2s",
            "0s",
            "30s",
            "time after which a failed login is answered, whatever the reason"));
  }

  private static Optional<LdapConfig> ldap(Section ldap) {
    List<URI> servers =
        ldap.list(
            "servers",
            "URLs",
            List.of(),
            "\"ldaps://host:636\" or \"ldap://host:389\", tried in this order",
            AuthConfigReader::server);
    boolean startTls =
        ldap.flag(
            "starttls",
            true,
            "whether ldap:// must use StartTLS; false lets the passwords cross the network"
                + " readable");
    Optional<Path> ca =
        ldap.optional(
            "ca",
            "path",
            "",
            "PEM file of the servers' issuers; default: the issuers that Java trusts",
            Path::of);
    Optional<String> bindDn =
        ldap.optional("bind_dn", "text", "", "DN for searches; empty: anonymous", t -> t);
    Optional<Secret> bindPassword =
        ldap.optional(
            "bind_password",
            "text",
            "",
            "password of bind_dn",
            t -> new Secret(t.getBytes(StandardCharsets.UTF_8)));
    String baseDn = ldap.text("base_dn", "", "base DN of the search for users");
    String filter =
        ldap.value(
            "filter",
            "LDAP filter",
            "(|(uid=%u)(mail=%u))",
            "(|(uid=%u)(mail=%u))",
            "filter that finds a user's entry; %u is the name, escaped",
            AuthConfigReader::filter);
    String address =
        ldap.text("address_attribute", "mail", "addresses that the user may send from");
    var timeout = ldap.duration("timeout", "5s", "100ms", "60s", "longest wait for an answer");
    int connections = ldap.integer("connections", 8, 1, 1000, "most connections at the same time");
    if (servers.isEmpty()) return Optional.empty();
    if (baseDn.isBlank()) ldap.problem("base_dn", "is missing: set the base DN of the users");
    if (bindDn.isPresent() != bindPassword.isPresent()) {
      ldap.problem("bind_password", "bind_dn and bind_password belong together");
    }
    if (servers.stream().map(URI::getScheme).distinct().count() > 1) {
      ldap.problem("servers", "must all be ldap:// or all ldaps://");
    }
    return Optional.of(
        new LdapConfig(
            servers,
            startTls,
            ca,
            bindDn,
            bindPassword,
            baseDn,
            filter,
            address,
            timeout,
            connections));
  }

  private static Optional<JwtConfig> jwt(Section jwt) {
    Optional<Path> keys =
        jwt.optional(
            "keys", "path", "", "JWKS file with the public keys of the issuer of tokens", Path::of);
    String issuer = jwt.text("issuer", "", "required iss of a token");
    List<String> audience =
        jwt.list(
            "audience",
            "texts",
            List.of(),
            "accepted audiences; a token's aud must name one",
            t -> t);
    String claim = jwt.text("user_claim", "email", "claim that holds the user's name");
    var leeway = jwt.duration("leeway", "60s", "0s", "10m", "tolerated difference of clocks");
    if (keys.isEmpty()) return Optional.empty();
    if (issuer.isBlank()) jwt.problem("issuer", "is missing: set the issuer of the tokens");
    if (audience.isEmpty()) {
      jwt.problem(
          "audience", "is missing: set an audience, so that tokens for other services are refused");
    }
    return Optional.of(new JwtConfig(keys.get(), issuer, audience, claim, leeway));
  }

  private static MechanismName mechanism(String text) {
    for (MechanismName sasl : MechanismName.values()) {
      if (sasl.registeredName().equalsIgnoreCase(text.strip())) return sasl;
    }
    String known =
        Arrays.stream(MechanismName.values())
            .map(MechanismName::registeredName)
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException("must be one of " + known + ", not \"" + text + "\"");
  }

  private static URI server(String text) {
    String problem = "must be \"ldaps://host:port\" or \"ldap://host:port\", not \"" + text + "\"";
    URI uri;
    try {
      uri = URI.create(text.strip());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(problem, e);
    }
    boolean known = "ldap".equals(uri.getScheme()) || "ldaps".equals(uri.getScheme());
    String path = uri.getPath() == null ? "" : uri.getPath();
    boolean bare = (path.isEmpty() || path.equals("/")) && uri.getQuery() == null;
    if (!known || uri.getHost() == null || !bare) throw new IllegalArgumentException(problem);
    return uri;
  }

  private static String filter(String text) {
    if (text.contains("%u") && text.startsWith("(") && text.endsWith(")")) return text;
    throw new IllegalArgumentException(
        "must be an LDAP filter in parentheses with %u, such as \"(uid=%u)\"");
  }
}
