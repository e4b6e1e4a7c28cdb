package org.quorumail.auth;

import java.io.IOException;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.AuthConfig.AuthLimits;
import org.quorumail.auth.AuthConfig.MechanismName;

/**
 * The authentication of clients by {@code [auth]}: the mechanisms that a connection offers, and an
 * exchange of each. Without users and tokens it offers nothing. Thread-safe.
 */
public final class Authentication implements AutoCloseable {
  private static final int NONCE_BYTES = 18; // 24 characters of base64, no padding

  private final AuthConfig config;
  private final LoginFailures failures;
  private final @Nullable UserStore users;
  private final @Nullable PasswordCheckQueue passwordChecks;
  private final @Nullable TokenVerifier tokens;
  private final SecureRandom random = new SecureRandom();

  private Authentication(
      AuthConfig config,
      LoginFailures failures,
      @Nullable UserStore users,
      @Nullable TokenVerifier tokens) {
    this.config = config;
    this.failures = failures;
    this.users = users;
    this.passwordChecks =
        users == null ? null : new PasswordCheckQueue(users.maxConcurrentChecks(), failures);
    this.tokens = tokens;
  }

  /**
   * Reads the files that the configuration names.
   *
   * @param failures counted so far; they outlive a reload
   * @throws IOException with one sentence that names the key and the file
   */
  public static Authentication open(AuthConfig config, LoginFailures failures) throws IOException {
    UserStore users = null;
    if (config.usersFile().isPresent()) users = new FileUserStore(config.usersFile().get());
    else if (config.ldap().isPresent()) users = LdapUserStore.open(config.ldap().get());
    UserStore store = users;
    try {
      TokenVerifier tokens =
          config.jwt().isEmpty()
              ? null
              : new TokenVerifier(
                  config.jwt().get(),
                  name -> store == null ? Optional.empty() : store.findUser(name));
      return new Authentication(config, failures, users, tokens);
    } catch (IOException e) {
      if (users != null) users.close();
      throw e;
    }
  }

  /** Returns whether any client can log in. */
  public boolean isConfigured() {
    return users != null || tokens != null;
  }

  /**
   * The user of a login that a trusted host asserts. A name that this node does not know gets a
   * user without sender addresses.
   *
   * @return empty when the name is not legal
   */
  public Optional<User> assertedUser(String name) {
    return SaslPrep.name(name)
        .map(
            prepared ->
                Optional.ofNullable(users)
                    .flatMap(all -> all.findUser(prepared))
                    .orElseGet(() -> new User(prepared, Set.of())));
  }

  /** Returns whether a connection, with or without TLS, offers AUTH. */
  public boolean isAllowed(boolean secured) {
    return isConfigured() && (secured || config.allowWithoutTls());
  }

  /** The limits for failed logins. */
  public AuthLimits limits() {
    return config.limits();
  }

  public LoginFailures failures() {
    return failures;
  }

  /** The names of the offered mechanisms for EHLO, in the order of the configuration. */
  public List<String> offeredMechanisms(boolean secured, Supplier<ChannelBindings> bindings) {
    List<String> names = new ArrayList<>();
    if (!isAllowed(secured)) return names;
    for (MechanismName mechanism : config.mechanisms()) {
      if (isUsable(mechanism, bindings)) names.add(mechanism.registeredName());
    }
    return names;
  }

  /**
   * Starts an exchange; empty when this connection does not offer the mechanism.
   *
   * @param client whose password checks wait in turn with those of others
   */
  public Optional<SaslMechanism> startExchange(
      String name, InetAddress client, boolean secured, Supplier<ChannelBindings> bindings) {
    List<String> offered = offeredMechanisms(secured, bindings);
    for (MechanismName mechanism : config.mechanisms()) {
      String registered = mechanism.registeredName();
      if (!registered.equalsIgnoreCase(name) || !offered.contains(registered)) continue;
      boolean plusOffered = offered.contains(MechanismName.SCRAM_SHA_256_PLUS.registeredName());
      return Optional.ofNullable(create(mechanism, client, bindings, plusOffered));
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    if (users != null) users.close();
  }

  private boolean isUsable(MechanismName mechanism, Supplier<ChannelBindings> bindings) {
    return switch (mechanism) {
      case PLAIN, LOGIN -> users != null;
      case SCRAM_SHA_256 -> users != null && users.hasScramKeys();
      case SCRAM_SHA_256_PLUS ->
          users != null && users.hasScramKeys() && bindings.get().isAvailable();
      case OAUTHBEARER, XOAUTH2 -> tokens != null;
    };
  }

  private @Nullable SaslMechanism create(
      MechanismName mechanism,
      InetAddress client,
      Supplier<ChannelBindings> bindings,
      boolean plusOffered) {
    if (mechanism == MechanismName.OAUTHBEARER || mechanism == MechanismName.XOAUTH2) {
      return tokens == null ? null : new BearerMechanism(tokens, dialect(mechanism));
    }
    if (users == null || passwordChecks == null) return null;
    PasswordVerifier passwords = new PasswordVerifier(users, passwordChecks, client);
    return switch (mechanism) {
      case PLAIN -> new PlainMechanism(passwords);
      case LOGIN -> new LoginMechanism(passwords);
      default ->
          new ScramMechanism(
              users,
              mechanism == MechanismName.SCRAM_SHA_256_PLUS,
              mechanism == MechanismName.SCRAM_SHA_256_PLUS
                  ? bindings.get()
                  : ChannelBindings.none(),
              plusOffered,
              freshNonce());
    };
  }

  private static BearerMechanism.Dialect dialect(MechanismName mechanism) {
    return mechanism == MechanismName.XOAUTH2
        ? BearerMechanism.Dialect.XOAUTH2
        : BearerMechanism.Dialect.OAUTHBEARER;
  }

  private String freshNonce() {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    return Base64.getEncoder().encodeToString(nonce);
  }
}
