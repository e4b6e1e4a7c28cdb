package org.quorumail.node;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.api.NodeView.ReloadResult;
import org.quorumail.auth.Authentication;
import org.quorumail.auth.LoginFailures;
import org.quorumail.classification.FailureClassifier;
import org.quorumail.cluster.ClusterConfig;
import org.quorumail.config.ConfigValues;
import org.quorumail.config.KeyPath;
import org.quorumail.delivery.DeliveryConfig;
import org.quorumail.metrics.LogConfig;
import org.quorumail.metrics.Logging;
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
 * secrets of the cluster change for the next connection, routes, domains, the retry schedule and
 * the classes of failures for the next attempt, the level of the log at once. Everything else needs
 * a restart, and the result names it. Thread-safe: readers see one state, changes exclude each
 * other.
 */
public final class LiveConfig {
  /** The tables and keys that a reload changes. */
  private static final List<String> LIVE =
      List.of(
          "relay",
          "policy",
          "milter",
          "aliases",
          "route",
          "delivery.max_attempts",
          "delivery.base_retry_delay",
          "delivery.max_retry_delay",
          "delivery.retry_jitter_factor",
          "delivery.message_expiration",
          "delivery.delay_notice_after",
          "delivery.classification",
          "delivery.domains",
          "tls",
          "auth",
          "log.level",
          "cluster.secret",
          "cluster.accepted_secrets");

  /** The size of a table in memory, set when it is made. */
  private static final String FIXED_SIZE = "policy.limits.keys";

  private final PolicyFactory policyFactory;
  private final LoginFailures loginFailures;
  private volatile State state;

  private record State(
      Config config,
      ConfigValues values,
      FileFingerprints files,
      PolicyFactory.BuiltPolicy policy,
      Certificates certificates,
      Authentication authentication,
      FailureClassifier classifier) {}

  /**
   * The certificates in use.
   *
   * @param smtp those of the listeners in their order, empty where there is none
   * @param api that of the HTTP server
   */
  record Certificates(List<Optional<ServerTls>> smtp, Optional<ServerTls> api) {}

  private LiveConfig(PolicyFactory policyFactory, State state, LoginFailures loginFailures) {
    this.policyFactory = policyFactory;
    this.loginFailures = loginFailures;
    this.state = state;
  }

  /** Reads the files that the configuration names; a bad one is a fault of the configuration. */
  public static LiveConfig open(ConfigResult.Valid valid, PolicyFactory policyFactory)
      throws NodeStartException {
    Config config = valid.config();
    LoginFailures failures = new LoginFailures(config.auth().limits());
    State state = load(config, valid.values(), policyFactory, failures);
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

  /** The rules for the classes of failures. */
  public FailureClassifier classifier() {
    return state.classifier;
  }

  /** The certificates of one listener, named by its index in the configuration. */
  public Optional<ServerTls> tls(int listenerIndex) {
    return state.certificates.smtp.get(listenerIndex);
  }

  /** The certificate of the HTTP server. */
  public Optional<ServerTls> apiTls() {
    return state.certificates.api;
  }

  /** Reads the certificate files again; when one cannot be used, nothing changes. */
  public synchronized void reloadCertificates() throws NodeStartException {
    FileFingerprints files = FileFingerprints.of(state.values, LiveConfig::isReadAgain);
    state =
        new State(
            state.config,
            state.values,
            files,
            state.policy,
            certificates(state.config),
            state.authentication,
            state.classifier);
  }

  /** Puts a configuration into effect, as far as it can change without a restart. */
  synchronized ReloadResult apply(ConfigResult.Valid valid) {
    Config read = valid.config();
    State before = state;
    Config old = before.config;
    ClusterConfig cluster = old.cluster().withSecretsOf(read.cluster());
    LogConfig log = old.log().withLevel(read.log().level());
    DeliveryConfig delivery = old.delivery().withReloadableOf(read.delivery());
    Config next =
        old.with(
            read.relay(),
            read.policy(),
            read.routes(),
            delivery,
            log,
            read.tls(),
            read.auth(),
            cluster);
    ConfigValues values = before.values.with(valid.values(), LiveConfig::isLive);
    try {
      state = load(next, values, policyFactory, loginFailures);
    } catch (NodeStartException e) {
      return new ReloadResult(List.of(), List.of(), List.of(String.valueOf(e.getMessage())));
    }
    policyFactory.commit();
    loginFailures.updateLimits(read.auth().limits());
    before.authentication.close();
    if (log.level() != old.log().level()) Logging.setLevel(log.level());
    Set<String> changed = new LinkedHashSet<>(before.values.differences(values));
    changed.addAll(before.files.differences(state.files));
    return new ReloadResult(List.copyOf(changed), values.differences(valid.values()), List.of());
  }

  private static boolean isLive(String key) {
    return !key.equals(FIXED_SIZE) && LIVE.stream().anyMatch(name -> KeyPath.isWithin(key, name));
  }

  /** Whether a reload reads the file again that the value of this key names. */
  private static boolean isReadAgain(String key) {
    return isLive(key) || key.startsWith("smtp.listeners[") || key.startsWith("api.tls.");
  }

  private static State load(
      Config config, ConfigValues values, PolicyFactory policyFactory, LoginFailures failures)
      throws NodeStartException {
    try {
      return new State(
          config,
          values,
          FileFingerprints.of(values, LiveConfig::isReadAgain), // before the files are read
          policyFactory.build(config),
          certificates(config),
          Authentication.open(config.auth(), failures),
          FailureClassifier.open(config.delivery().classificationFile()));
    } catch (IOException e) {
      throw NodeStartException.ofConfiguration(String.valueOf(e.getMessage()), e);
    }
  }

  private static Certificates certificates(Config config) throws NodeStartException {
    return new Certificates(smtpCertificates(config), apiTls(config));
  }

  /** Reads the certificates of the listeners; the exception's sentence begins with the key. */
  static List<Optional<ServerTls>> smtpCertificates(Config config) throws NodeStartException {
    List<Optional<ServerTls>> smtp = new ArrayList<>();
    for (int i = 0; i < config.listeners().size(); i++) {
      ListenerConfig listener = config.listeners().get(i);
      boolean own = listener.certificate().isPresent();
      String key = own ? "smtp.listeners[%d].extensions.starttls".formatted(i) : "tls";
      try {
        smtp.add(tls(listener, config.tls()));
      } catch (CertificateException e) {
        throw unusable(key, e);
      }
    }
    return List.copyOf(smtp);
  }

  /** Reads the certificate of the HTTP server, which has no part in {@code [tls]}. */
  static Optional<ServerTls> apiTls(Config config) throws NodeStartException {
    Optional<KeyPairFiles> pair = config.api().certificate();
    if (pair.isEmpty()) return Optional.empty();
    String version = config.tls().minVersion();
    try {
      return Optional.of(ServerTls.of(pair.get().certificate(), pair.get().key(), version));
    } catch (CertificateException e) {
      throw unusable("api.tls", e);
    }
  }

  private static NodeStartException unusable(String table, CertificateException e) {
    return NodeStartException.ofConfiguration(table + ".certificate, .key: " + e.getMessage(), e);
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
