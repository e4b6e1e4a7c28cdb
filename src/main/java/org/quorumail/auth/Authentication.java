package org.quorumail.auth;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.AuthConfig;
import org.quorumail.config.AuthConfig.AuthLimits;
import org.quorumail.config.AuthConfig.Sasl;

/**
 * What {@code [auth]} offers to clients: which mechanisms, on which connections, and an exchange of
 * each. Without users and without tokens it offers nothing. Thread-safe.
 */
public final class Authentication implements AutoCloseable {
  private static final int NONCE_BYTES = 18; // 24 characters of base64, no padding

  private final AuthConfig config;
  private final LoginFailures failures;
  private final @Nullable Users users;
  private final @Nullable Tokens tokens;
  private final SecureRandom random = new SecureRandom();

  private Authentication(
      AuthConfig config, LoginFailures failures, @Nullable Users users, @Nullable Tokens tokens) {
    this.config = config;
    this.failures = failures;
    this.users = users;
    this.tokens = tokens;
  }

  /**
   * Reads the files that the configuration names.
   *
   * @param failures counted so far; they outlive this
   * @throws IOException with one sentence that names the key and the file
   */
  public static Authentication open(AuthConfig config, LoginFailures failures) throws IOException {
    Users users = null;
    if (config.usersFile().isPresent()) users = new FileUsers(config.usersFile().get());
    else if (config.ldap().isPresent()) users = new LdapUsers(config.ldap().get());
    Users known = users;
    try {
      Tokens tokens =
          config.jwt().isEmpty()
              ? null
              : new Tokens(
                  config.jwt().get(), name -> known == null ? Optional.empty() : known.known(name));
      return new Authentication(config, failures, users, tokens);
    } catch (IOException e) {
      if (users != null) users.close();
      throw e;
    }
  }

  /** Whether there is anybody who could log in. */
  public boolean configured() {
    return users != null || tokens != null;
  }

  /**
   * Somebody whose login another host vouches for. One who is not known here is who he is, with no
   * address beside his name; empty when nobody can have the name.
   */
  public Optional<User> vouchedFor(String name) {
    return Prepared.name(name)
        .map(
            prepared ->
                Optional.ofNullable(users)
                    .flatMap(all -> all.known(prepared))
                    .orElseGet(() -> new User(prepared, Set.of())));
  }

  /** Whether AUTH exists on a connection that is secured by TLS or not. */
  public boolean allowed(boolean secured) {
    return configured() && (secured || config.allowWithoutTls());
  }

  /** What failed logins lead to. */
  public AuthLimits limits() {
    return config.limits();
  }

  public LoginFailures failures() {
    return failures;
  }

  /** The names of the mechanisms for EHLO, in the order of the configuration. */
  public List<String> offered(boolean secured, Supplier<ChannelBindings> bindings) {
    List<String> names = new ArrayList<>();
    if (!allowed(secured)) return names;
    for (Sasl mechanism : config.mechanisms()) {
      if (usable(mechanism, bindings)) names.add(mechanism.registeredName());
    }
    return names;
  }

  /** Begins an exchange; empty when the mechanism is not offered on this connection. */
  public Optional<Mechanism> begin(
      String name, boolean secured, Supplier<ChannelBindings> bindings) {
    List<String> offered = offered(secured, bindings);
    for (Sasl mechanism : config.mechanisms()) {
      String registered = mechanism.registeredName();
      if (!registered.equalsIgnoreCase(name) || !offered.contains(registered)) continue;
      boolean plusOffered = offered.contains(Sasl.SCRAM_SHA_256_PLUS.registeredName());
      return Optional.ofNullable(create(mechanism, bindings, plusOffered));
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    if (users != null) users.close();
  }

  private boolean usable(Sasl mechanism, Supplier<ChannelBindings> bindings) {
    return switch (mechanism) {
      case PLAIN, LOGIN -> users != null;
      case SCRAM_SHA_256 -> users != null && users.keepsScramKeys();
      case SCRAM_SHA_256_PLUS -> users != null && users.keepsScramKeys() && bindings.get().any();
      case OAUTHBEARER, XOAUTH2 -> tokens != null;
    };
  }

  private @Nullable Mechanism create(
      Sasl mechanism, Supplier<ChannelBindings> bindings, boolean plusOffered) {
    if (mechanism == Sasl.OAUTHBEARER || mechanism == Sasl.XOAUTH2) {
      return tokens == null ? null : new Bearer(tokens, dialect(mechanism));
    }
    if (users == null) return null;
    return switch (mechanism) {
      case PLAIN -> new Plain(users);
      case LOGIN -> new Login(users);
      default ->
          new Scram(
              users,
              mechanism == Sasl.SCRAM_SHA_256_PLUS,
              mechanism == Sasl.SCRAM_SHA_256_PLUS ? bindings.get() : ChannelBindings.none(),
              plusOffered,
              freshNonce());
    };
  }

  private static Bearer.Dialect dialect(Sasl mechanism) {
    return mechanism == Sasl.XOAUTH2 ? Bearer.Dialect.XOAUTH2 : Bearer.Dialect.OAUTHBEARER;
  }

  private String freshNonce() {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    return Base64.getEncoder().encodeToString(nonce);
  }
}
