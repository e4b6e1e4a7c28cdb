package org.quorumail.node;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.api.NodeView.ReloadResult;
import org.quorumail.auth.Authentication;
import org.quorumail.auth.LoginFailures;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.policy.RelayPolicy;
import org.quorumail.policy.SessionPolicy;
import org.quorumail.smtp.server.ListenerConfig;
import org.quorumail.smtp.server.TlsMode;
import org.quorumail.tls.KeyPairFiles;
import org.quorumail.tls.ServerTls;
import org.quorumail.tls.TlsConfig;

/**
 * The configuration in effect, with the contents of the files that it names. A reload takes effect
 * as a whole or not at all. The relay rule, the policy, the certificates, the logins and the
 * secrets of the cluster change for the next connection; everything else needs a restart, and the
 * result names it. Thread-safe: readers see one state, changes exclude each other.
 */
public final class LiveConfig {
  private final PolicyFactory policyFactory;
  private final LoginFailures loginFailures;
  private volatile State state;

  private record State(
      Config config,
      PolicyFactory.BuiltPolicy policy,
      List<Optional<ServerTls>> tls,
      Authentication authentication) {}

  private LiveConfig(PolicyFactory policyFactory, State state, LoginFailures loginFailures) {
    this.policyFactory = policyFactory;
    this.loginFailures = loginFailures;
    this.state = state;
  }

  /** Reads the files that the configuration names; a bad one is a fault of the configuration. */
  public static LiveConfig open(Config config, PolicyFactory policyFactory)
      throws NodeStartException {
    LoginFailures failures = new LoginFailures(config.auth().limits());
    State state = load(config, policyFactory, failures);
    policyFactory.commit();
    return new LiveConfig(policyFactory, state, failures);
  }

  public Config current() {
    return state.config;
  }

  public RelayPolicy relayPolicy() {
    return state.policy.relay();
  }

  public SessionPolicy rules() {
    return state.policy.rules();
  }

  public Authentication authentication() {
    return state.authentication;
  }

  /** The certificates of one listener, named by its index in the configuration. */
  public Optional<ServerTls> tls(int listenerIndex) {
    return state.tls.get(listenerIndex);
  }

  /** Reads the certificate files again; when one cannot be used, nothing changes. */
  public synchronized void reloadCertificates() throws NodeStartException {
    state = new State(state.config, state.policy, certificates(state.config), state.authentication);
  }

  /** Puts a configuration into effect, as far as it can change without a restart. */
  synchronized ReloadResult apply(Config read) {
    Config old = state.config;
    ClusterConfig cluster = old.cluster().withSecretsOf(read.cluster());
    Config next = old.with(read.relay(), read.policy(), read.tls(), read.auth(), cluster);
    Authentication replaced = state.authentication;
    try {
      state = load(next, policyFactory, loginFailures);
    } catch (NodeStartException e) {
      return new ReloadResult(List.of(), List.of(), List.of(String.valueOf(e.getMessage())));
    }
    policyFactory.commit();
    loginFailures.updateLimits(read.auth().limits());
    replaced.close();
    return new ReloadResult(changes(old, next), next.differences(read), List.of());
  }

  private static List<String> changes(Config old, Config now) {
    List<String> changed = new ArrayList<>(List.of("certificates", "users")); // always read again
    if (!old.relay().equals(now.relay())) changed.add("relay");
    if (!old.policy().equals(now.policy())) changed.add("policy");
    if (!old.tls().equals(now.tls())) changed.add("tls");
    ClusterConfig before = old.cluster();
    ClusterConfig after = now.cluster();
    if (!before.secret().equals(after.secret())) changed.add("cluster.secret");
    if (!before.gossip().acceptedSecrets().equals(after.gossip().acceptedSecrets())) {
      changed.add("cluster.accepted_secrets");
    }
    if (!old.auth().equals(now.auth())) changed.add("auth");
    return changed;
  }

  private static State load(Config config, PolicyFactory policyFactory, LoginFailures failures)
      throws NodeStartException {
    try {
      return new State(
          config,
          policyFactory.build(config),
          certificates(config),
          Authentication.open(config.auth(), failures));
    } catch (IOException e) {
      throw NodeStartException.ofConfiguration(String.valueOf(e.getMessage()), e);
    }
  }

  /** The certificates of the listeners, in their order; empty where there is none. */
  static List<Optional<ServerTls>> certificates(Config config) throws NodeStartException {
    List<Optional<ServerTls>> tls = new ArrayList<>();
    for (int i = 0; i < config.listeners().size(); i++) {
      ListenerConfig listener = config.listeners().get(i);
      String key = listener.certificate().isPresent() ? "smtp.listeners[%d]".formatted(i) : "tls";
      try {
        tls.add(tls(listener, config.tls()));
      } catch (CertificateException e) {
        throw NodeStartException.ofConfiguration(key + ".certificate, .key: " + e.getMessage(), e);
      }
    }
    return tls;
  }

  private static Optional<ServerTls> tls(ListenerConfig listener, TlsConfig shared)
      throws CertificateException {
    List<KeyPairFiles> pairs = new ArrayList<>();
    listener.certificate().or(shared::certificate).ifPresent(pairs::add);
    if (pairs.isEmpty() || listener.tls() == TlsMode.NONE) return Optional.empty();
    pairs.addAll(shared.more());
    ServerTls tls =
        ServerTls.of(pairs, shared.minVersion(), listener.clientCertificates(), shared.clientCa());
    return Optional.of(tls);
  }
}
