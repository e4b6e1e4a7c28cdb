package org.quorumail.node;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The configuration as it counts now, with what is read from the files that it names. A reload
 * takes effect as a whole or not at all: the relay rule, the policy, the certificates and the
 * logins and the secrets of the cluster change for the next connection, everything else waits for a
 * restart and is named.
 */
public final class LiveConfig {
  private static final Logger LOG = LoggerFactory.getLogger(LiveConfig.class);

  private final ConfigSources sources;
  private final PolicyFactory policyRules;
  private final LoginFailures loginFailures;
  private volatile State state;
  private volatile Consumer<ClusterConfig> onSecrets = cluster -> {};
  private volatile Consumer<ReloadResult> onReload = reload -> {};

  private record State(
      Config config,
      PolicyFactory.BuiltPolicy policy,
      List<Optional<ServerTls>> tls,
      Authentication authentication) {}

  private LiveConfig(
      ConfigSources sources, PolicyFactory policyRules, State state, LoginFailures loginFailures) {
    this.sources = sources;
    this.policyRules = policyRules;
    this.loginFailures = loginFailures;
    this.state = state;
  }

  public static LiveConfig of(Config config, ConfigSources sources, PolicyFactory policyRules)
      throws NodeStartException {
    LoginFailures failures = new LoginFailures(config.auth().limits());
    State state = load(config, policyRules, failures);
    policyRules.commit();
    return new LiveConfig(sources, policyRules, state, failures);
  }

  public Config current() {
    return state.config;
  }

  /** Told when a reload has brought other secrets of the cluster. */
  public void onSecrets(Consumer<ClusterConfig> listener) {
    onSecrets = listener;
  }

  /** Told of each reload that took effect. */
  public void onReload(Consumer<ReloadResult> listener) {
    onReload = listener;
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

  /** For the listener at this place of the configuration. */
  public Optional<ServerTls> tls(int listener) {
    return state.tls.get(listener);
  }

  /** Who sends SIGHUP sees no answer, so the log has to say what became of it. */
  public synchronized ReloadResult reload() {
    ReloadResult reload = read();
    for (String problem : reload.problems()) {
      LOG.warn("configuration_not_reloaded problem=\"{}\"", problem);
    }
    if (reload.problems().isEmpty()) onReload.accept(reload);
    return reload;
  }

  private ReloadResult read() {
    return switch (sources.read()) {
      case ConfigResult.Invalid invalid ->
          new ReloadResult(
              List.of(), List.of(), invalid.problems().stream().map(Object::toString).toList());
      case ConfigResult.Valid valid -> apply(valid.config());
    };
  }

  /** Reads the files anew that certificates are in; what cannot be used changes nothing. */
  synchronized void reloadCertificates() throws NodeStartException {
    state = new State(state.config, state.policy, certificates(state.config), state.authentication);
  }

  private ReloadResult apply(Config read) {
    Config old = state.config;
    try {
      ClusterConfig cluster = old.cluster().withSecretsOf(read.cluster());
      Authentication replaced = state.authentication;
      Config next = old.with(read.relay(), read.policy(), read.tls(), read.auth(), cluster);
      state = load(next, policyRules, loginFailures);
      policyRules.commit();
      loginFailures.updateLimits(read.auth().limits());
      replaced.close();
    } catch (NodeStartException e) {
      return new ReloadResult(List.of(), List.of(), List.of(String.valueOf(e.getMessage())));
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
    LOG.info("configuration_reloaded changed={} need_restart={}", changed, waiting);
    return new ReloadResult(changed, waiting, List.of());
  }

  private static State load(Config config, PolicyFactory policyRules, LoginFailures failures)
      throws NodeStartException {
    try {
      return new State(
          config,
          policyRules.build(config),
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
