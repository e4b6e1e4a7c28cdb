package org.quorumail.smtp.server;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.auth.AuthConfig;
import org.quorumail.auth.AuthConfig.AuthLimits;
import org.quorumail.auth.AuthConfig.MechanismName;
import org.quorumail.auth.Authentication;
import org.quorumail.auth.LoginFailures;
import org.quorumail.config.Network;
import org.quorumail.mail.MailAddress;
import org.quorumail.node.Config;
import org.quorumail.policy.AliasTable;
import org.quorumail.policy.FilterChain;
import org.quorumail.policy.LocalPolicyState;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig;
import org.quorumail.policy.RecipientTable;
import org.quorumail.policy.RelayConfig;
import org.quorumail.policy.RelayFilter;
import org.quorumail.policy.RelayPolicy;
import org.quorumail.policy.SessionPolicy;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Tarpit;
import org.quorumail.policy.Verdict;
import org.quorumail.policy.checks.AccessLists;
import org.quorumail.policy.checks.Greylist;
import org.quorumail.policy.checks.RateLimits;
import org.quorumail.smtp.NextHopLimits;
import org.quorumail.smtp.Service;
import org.quorumail.tls.ClientCertificates;
import org.quorumail.tls.ServerTls;

/** A listener on a free loopback port with a {@link FakeIntake}, set up by {@code key=value}. */
final class TestListener implements AutoCloseable {
  final FakeIntake intake = new FakeIntake();
  final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  final SmtpListener listener;
  final MemoryBudget memory;
  private final Map<String, String> options;
  private final LocalPolicyState state = new LocalPolicyState(1_000, Clock.systemUTC());
  private List<MessageFilter> filters = List.of();

  /** The submitter of the last MAIL; "-" without a trusted one. */
  volatile String submitter = "-";

  private SessionPolicy rules;

  static TestListener with(String... options) throws IOException {
    return new TestListener(null, 0, options);
  }

  static TestListener withTls(ServerTls tls, String... options) throws IOException {
    return new TestListener(tls, 0, options);
  }

  TestListener(@Nullable ServerTls tls, int port, String... options) throws IOException {
    this.options = new HashMap<>();
    for (String option : options) {
      int sign = option.indexOf('=');
      this.options.put(option.substring(0, sign), option.substring(sign + 1));
    }
    Authentication authentication = authentication();
    memory = new MemoryBudget(number("memory", 64L << 20));
    ServerContext context =
        new ServerContext(
            "mx.test.example",
            intake,
            () -> policy(),
            () -> rules,
            Path.of(System.getProperty("java.io.tmpdir"), "quorumail-test-scratch"),
            () -> Optional.ofNullable(tls),
            TestListener::queueRun,
            this::nextHop,
            () -> authentication,
            memory,
            meters,
            Clock.systemUTC());
    rules = rules();
    listener = SmtpListener.open(config(port), context);
  }

  /** Adds filters to the sessions that start from now on. */
  TestListener filtering(MessageFilter... more) throws IOException {
    filters = List.of(more);
    rules = rules();
    return this;
  }

  int port() {
    return listener.address().getPort();
  }

  @Override
  public void close() {
    listener.close();
  }

  private static EtrnResult queueRun(String domain) {
    return switch (domain) {
      case "waiting.example" -> new EtrnResult.Started(3, false);
      case "many.example" -> new EtrnResult.Started(100, true);
      case "suspended.example" -> new EtrnResult.Unavailable();
      default -> new EtrnResult.NothingWaiting();
    };
  }

  /** {@code hop=SIZE} or {@code hop=SIZE,utf8}: the limits that local.example is known to have. */
  private Optional<NextHopLimits> nextHop(String domain) {
    String[] limits = text("hop", "").split(",");
    if (limits[0].isEmpty() || !domain.equals("local.example")) return Optional.empty();
    return Optional.of(new NextHopLimits(Long.parseLong(limits[0]), limits.length > 1));
  }

  private ListenerConfig config(int port) {
    Duration command = Duration.ofMillis(number("command_ms", 20_000));
    Duration block = Duration.ofMillis(number("block_ms", 20_000));
    return new ListenerConfig(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
        Service.valueOf(text("service", "mx").toUpperCase(Locale.ROOT)),
        TlsMode.valueOf(text("tls", "starttls").toUpperCase(Locale.ROOT)),
        Boolean.parseBoolean(text("require_tls", "false")),
        Optional.empty(),
        ClientCertificates.valueOf(text("client_certificates", "none").toUpperCase(Locale.ROOT)),
        Boolean.parseBoolean(text("require_auth", "false")),
        networks("proxy_protocol_from"),
        networks("xclient_from"),
        number("size", 25_000_000),
        new ListenerTimeouts(command, block, block, Duration.ofMinutes(10), Duration.ofMinutes(30)),
        new ListenerLimits(
            (int) number("connections", 12_000),
            (int) number("connections_per_ip", 12_000),
            (int) number("recipients", 1000),
            (int) number("messages", 0),
            (int) number("errors", 20),
            (int) number("line", 2048),
            (int) number("hops", 30)),
        Map.of());
  }

  /** Options that start with "policy." or "aliases." are keys of the configuration. */
  private SessionPolicy rules() throws IOException {
    Map<String, String> keys = new HashMap<>(options);
    keys.keySet().removeIf(key -> !key.startsWith("policy.") && !key.startsWith("aliases."));
    PolicyConfig config = Config.standalone(Path.of("unused"), keys).policy();
    List<MessageFilter> all = new ArrayList<>();
    all.add(AccessLists.read(config.lists()));
    AliasTable aliases = AliasTable.read(config.aliases(), Set.of("local.example"));
    all.add(new RelayFilter(policy(), aliases, !options.containsKey("known")));
    all.add(new RateLimits(config.rates(), state));
    if (config.greylist().enabled()) {
      all.add(new Greylist(config.greylist(), state, Clock.systemUTC()));
    }
    all.add(new SubmitterRecorder());
    all.addAll(filters);
    return new SessionPolicy(new FilterChain(all, meters), new Tarpit(config.tarpit()));
  }

  private final class SubmitterRecorder implements MessageFilter {
    @Override
    public Verdict mail(SessionView session) {
      submitter = session.submitter().map(MailAddress::toString).orElse("-");
      return Verdict.ACCEPT;
    }

    @Override
    public boolean readsContent(SessionView session) {
      return false;
    }
  }

  /** {@code auth=tls} or {@code auth=always}: alice@local.example with password pencil, and bob. */
  private Authentication authentication() throws IOException {
    String auth = text("auth", "none");
    Path users = Path.of("src/test/resources/users");
    AuthConfig config =
        new AuthConfig(
            auth.equals("none") ? Optional.empty() : Optional.of(users),
            List.of(
                MechanismName.SCRAM_SHA_256_PLUS,
                MechanismName.SCRAM_SHA_256,
                MechanismName.PLAIN,
                MechanismName.LOGIN),
            auth.equals("always"),
            new AuthLimits(
                (int) number("attempts", 3),
                (int) number("failures_per_ip", 1000),
                (int) number("failures_per_user", 1000),
                Duration.ofMinutes(10),
                Duration.ofMillis(number("failure_delay_ms", 0))),
            Optional.empty(),
            Optional.empty());
    return Authentication.open(config, new LoginFailures(config.limits()));
  }

  private RelayPolicy policy() {
    boolean trusted = Boolean.parseBoolean(text("trusted", "true"));
    return new RelayPolicy(
        new RelayConfig(
            trusted ? List.of(Network.parse("127.0.0.0/8")) : List.of(),
            Set.of(),
            domains(),
            Optional.empty()),
        Optional.ofNullable(options.get("known")).map(TestListener::table));
  }

  private Set<String> domains() {
    String domains = text("domains", "local.example");
    return domains.isEmpty() ? Set.of() : new LinkedHashSet<>(List.of(domains.split(",")));
  }

  private static RecipientTable table(String known) {
    List<String> names = List.of(known.split(","));
    return address ->
        names.contains(address.toString())
            ? RecipientTable.Existence.KNOWN
            : RecipientTable.Existence.UNKNOWN;
  }

  private List<Network> networks(String key) {
    String text = text(key, "");
    return text.isEmpty() ? List.of() : List.of(Network.parse(text));
  }

  private long number(String key, long otherwise) {
    return Long.parseLong(text(key, Long.toString(otherwise)));
  }

  private String text(String key, String otherwise) {
    return options.getOrDefault(key, otherwise);
  }
}
