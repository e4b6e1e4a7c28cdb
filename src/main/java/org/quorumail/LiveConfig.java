package org.quorumail;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.quorumail.api.NodeView.Reload;
import org.quorumail.auth.Authentication;
import org.quorumail.auth.LoginFailures;
import org.quorumail.config.Config;
import org.quorumail.config.Config.ClusterConfig;
import org.quorumail.config.Config.KeyPairFiles;
import org.quorumail.config.Config.ListenerConfig;
import org.quorumail.config.Config.ListenerTls;
import org.quorumail.config.Config.TlsConfig;
import org.quorumail.config.ConfigResult;
import org.quorumail.config.ConfigSources;
import org.quorumail.policy.RelayPolicy;
import org.quorumail.policy.Rules;
import org.quorumail.tls.ServerTls;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The configuration as it counts now, with what is read from the files that it names. A reload
 * takes effect as a whole or not at all: the relay rule, the policy, the certificates and the
 * logins and the secrets of the cluster change for the next connection, everything else waits for a
 * restart and is named.
 */
final class LiveConfig {
  private static final Logger log = LoggerFactory.getLogger(LiveConfig.class);

  private final ConfigSources sources;
  private final PolicyRules policyRules;
  private final LoginFailures loginFailures;
  private volatile State state;
  private volatile Consumer<ClusterConfig> onSecrets = cluster -> {};
  private volatile Consumer<Reload> onReload = reload -> {};

  private record State(
      Config config,
      PolicyRules.Read policy,
      List<Optional<ServerTls>> tls,
      Authentication authentication) {}

  private LiveConfig(
      ConfigSources sources, PolicyRules policyRules, State state, LoginFailures loginFailures) {
    this.sources = sources;
    this.policyRules = policyRules;
    this.loginFailures = loginFailures;
    this.state = state;
  }

  static LiveConfig of(Config config, ConfigSources sources, PolicyRules policyRules)
      throws StartFailure {
    LoginFailures failures = new LoginFailures(config.auth().limits());
    State state = load(config, policyRules, failures);
    policyRules.taken();
    return new LiveConfig(sources, policyRules, state, failures);
  }

  Config current() {
    return state.config;
  }

  /** Told when a reload has brought other secrets of the cluster. */
  void onSecrets(Consumer<ClusterConfig> listener) {
    onSecrets = listener;
  }

  /** Told of each reload that took effect. */
  void onReload(Consumer<Reload> listener) {
    onReload = listener;
  }

  RelayPolicy relayPolicy() {
    return state.policy.relay();
  }

  Rules rules() {
    return state.policy.rules();
  }

  Authentication authentication() {
    return state.authentication;
  }

  /** For the listener at this place of the configuration. */
  Optional<ServerTls> tls(int listener) {
    return state.tls.get(listener);
  }

  /** Who sends SIGHUP sees no answer, so the log has to say what became of it. */
  synchronized Reload reload() {
    Reload reload = read();
    for (String problem : reload.problems()) {
      log.warn("configuration_not_reloaded problem=\"{}\"", problem);
    }
    if (reload.problems().isEmpty()) onReload.accept(reload);
    return reload;
  }

  private Reload read() {
    return switch (sources.read()) {
      case ConfigResult.Invalid invalid ->
          new Reload(
              List.of(), List.of(), invalid.problems().stream().map(Object::toString).toList());
      case ConfigResult.Valid valid -> take(valid.config());
    };
  }

  /** Reads the files anew that certificates are in; what cannot be used changes nothing. */
  synchronized void reloadCertificates() throws StartFailure {
    state = new State(state.config, state.policy, certificates(state.config), state.authentication);
  }

  private Reload take(Config read) {
    Config old = state.config;
    try {
      ClusterConfig cluster = old.cluster().withSecretsOf(read.cluster());
      Authentication replaced = state.authentication;
      Config next = old.with(read.relay(), read.policy(), read.tls(), read.auth(), cluster);
      state = load(next, policyRules, loginFailures);
      policyRules.taken();
      loginFailures.limits(read.auth().limits());
      replaced.close();
    } catch (StartFailure e) {
      return new Reload(List.of(), List.of(), List.of(String.valueOf(e.getMessage())));
    }
    List<String> changed = new ArrayList<>(List.of("certificates", "users")); // read in any case
    if (!old.relay().equals(read.relay())) changed.add("relay");
    if (!old.policy().equals(read.policy())) changed.add("policy");
    if (!old.tls().equals(read.tls())) changed.add("tls");
    if (!old.cluster().equals(state.config.cluster())) {
      ClusterConfig now = state.config.cluster();
      if (!old.cluster().secret().equals(now.secret())) changed.add("cluster.secret");
      if (!old.cluster().gossip().acceptedSecrets().equals(now.gossip().acceptedSecrets())) {
        changed.add("cluster.accepted_secrets");
      }
      onSecrets.accept(state.config.cluster());
    }
    if (!old.auth().equals(read.auth())) changed.add("auth");
    List<String> waiting = state.config.differences(read);
    log.info("configuration_reloaded changed={} need_restart={}", changed, waiting);
    return new Reload(changed, waiting, List.of());
  }

  private static State load(Config config, PolicyRules policyRules, LoginFailures failures)
      throws StartFailure {
    try {
      return new State(
          config,
          policyRules.read(config),
          certificates(config),
          Authentication.open(config.auth(), failures));
    } catch (IOException e) {
      throw StartFailure.ofConfiguration(String.valueOf(e.getMessage()), e);
    }
  }

  /** The certificates of the listeners, in their order; empty where there is none. */
  static List<Optional<ServerTls>> certificates(Config config) throws StartFailure {
    List<Optional<ServerTls>> tls = new ArrayList<>();
    for (int i = 0; i < config.listeners().size(); i++) {
      ListenerConfig listener = config.listeners().get(i);
      String key = listener.certificate().isPresent() ? "smtp.listeners[%d]".formatted(i) : "tls";
      try {
        tls.add(tls(listener, config.tls()));
      } catch (CertificateException e) {
        throw StartFailure.ofConfiguration(key + ".certificate, .key: " + e.getMessage(), e);
      }
    }
    return tls;
  }

  private static Optional<ServerTls> tls(ListenerConfig listener, TlsConfig shared)
      throws CertificateException {
    List<KeyPairFiles> pairs = new ArrayList<>();
    listener.certificate().or(shared::certificate).ifPresent(pairs::add);
    if (pairs.isEmpty() || listener.tls() == ListenerTls.NONE) return Optional.empty();
    pairs.addAll(shared.more());
    ServerTls tls =
        ServerTls.of(pairs, shared.minVersion(), listener.clientCertificates(), shared.clientCa());
    return Optional.of(tls);
  }
}
