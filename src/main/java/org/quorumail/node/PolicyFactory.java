package org.quorumail.node;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;
import org.quorumail.dns.SenderResolver;
import org.quorumail.policy.AliasTable;
import org.quorumail.policy.FilterChain;
import org.quorumail.policy.MessageFilter;
import org.quorumail.policy.PolicyConfig;
import org.quorumail.policy.PolicyConfig.Consequence;
import org.quorumail.policy.PolicyState;
import org.quorumail.policy.RecipientFileTable;
import org.quorumail.policy.RecipientTable;
import org.quorumail.policy.RelayFilter;
import org.quorumail.policy.RelayPolicy;
import org.quorumail.policy.SessionPolicy;
import org.quorumail.policy.Tarpit;
import org.quorumail.policy.TimeLimitedFilter;
import org.quorumail.policy.checks.AccessLists;
import org.quorumail.policy.checks.DnsLists;
import org.quorumail.policy.checks.Greylist;
import org.quorumail.policy.checks.HeloCheck;
import org.quorumail.policy.checks.RateLimits;
import org.quorumail.policy.checks.ReverseDnsCheck;
import org.quorumail.policy.checks.SenderDomainCheck;
import org.quorumail.policy.milter.MilterFilter;
import org.quorumail.policy.tables.CachingRecipientTable;
import org.quorumail.policy.tables.CombinedRecipientTable;
import org.quorumail.policy.tables.HttpRecipientTable;
import org.quorumail.policy.tables.LdapRecipientTable;

/**
 * The factory of the policy that the configuration asks for. Its filters have the order of {@code
 * docs/receive.md}: those that cost nothing first, those that ask others last. An unconfigured
 * check is absent.
 */
public final class PolicyFactory {
  private final SenderResolver resolver;
  private final PolicyState state;
  private final MeterRegistry meters;
  private final InstantSource time;

  /** The LDAP table in use, and the one of a reload that has not taken effect. */
  private @Nullable OpenLdapTable openTable;

  private @Nullable OpenLdapTable pending;

  private record OpenLdapTable(PolicyConfig.LdapTableConfig config, LdapRecipientTable table) {}

  /**
   * @param state outlives reloads, so that no rate starts again with one
   */
  public PolicyFactory(
      SenderResolver resolver, PolicyState state, MeterRegistry meters, InstantSource time) {
    this.resolver = resolver;
    this.state = state;
    this.meters = meters;
    this.time = time;
  }

  /** A policy: the relay rule, and the filters with it among them. */
  record BuiltPolicy(RelayPolicy relay, SessionPolicy rules) {}

  /**
   * Builds the policy and reads the files that the configuration names.
   *
   * @throws IOException with one sentence that names the key
   */
  BuiltPolicy build(Config config) throws IOException {
    pending = null; // left by a reload that did not take effect
    Optional<RecipientTable> table = table(config);
    RelayPolicy relay = new RelayPolicy(config.relay(), table);
    AliasTable aliases = AliasTable.read(config.policy().aliases(), config.relay().domains());
    AccessLists lists = AccessLists.read(config.policy().lists());
    List<MessageFilter> filters = new ArrayList<>();
    filters.add(lists);
    filters.add(new RelayFilter(relay, aliases, table.isEmpty()));
    filters.addAll(checks(config.policy()));
    filters.addAll(extensionFilters(config.policy().filters()));
    for (PolicyConfig.MilterConfig milter : config.policy().milters()) {
      filters.add(new MilterFilter(milter, scratchDirectory(config)));
    }
    Tarpit tarpit = new Tarpit(config.policy().tarpit());
    return new BuiltPolicy(relay, new SessionPolicy(new FilterChain(filters, meters), tarpit));
  }

  /** The directory of messages while filters read them; no file in it has a name. */
  public static Path scratchDirectory(Config config) {
    return config.node().dataDirectory().resolve("scratch");
  }

  /** The tables of recipients; those of extensions count beside the configured ones. */
  private Optional<RecipientTable> table(Config config) throws IOException {
    List<RecipientTable> tables = new ArrayList<>();
    Optional<Path> file = config.relay().recipients();
    if (file.isPresent()) tables.add(file(file.get()));
    Optional<PolicyConfig.LdapTableConfig> ldap = config.policy().recipientsLdap();
    if (ldap.isPresent()) {
      tables.add(cached(openTable(ldap.get()), ldap.get().cacheTtl(), ldap.get().cacheSize()));
    }
    Optional<PolicyConfig.HttpTableConfig> http = config.policy().recipientsHttp();
    if (http.isPresent()) {
      HttpRecipientTable service = new HttpRecipientTable(http.get());
      tables.add(cached(service, http.get().cacheTtl(), http.get().cacheSize()));
    }
    tables.addAll(serviceProviders(RecipientTable.class));
    return switch (tables.size()) {
      case 0 -> Optional.empty();
      case 1 -> Optional.of(tables.getFirst());
      default -> Optional.of(new CombinedRecipientTable(tables));
    };
  }

  static RecipientTable file(Path path) throws IOException {
    try {
      return RecipientFileTable.read(path);
    } catch (IOException e) {
      String reason = String.valueOf(e.getMessage());
      String key = "relay.recipients: ";
      throw new IOException(reason.startsWith(key) ? reason : key + reason, e);
    }
  }

  private static RecipientTable cached(RecipientTable table, Duration ttl, int size) {
    return new CachingRecipientTable(table, ttl, size, System::nanoTime);
  }

  /**
   * Opens the LDAP table. A reload keeps the connections of a directory whose settings are
   * unchanged. Other settings replace them only when the whole reload takes effect: {@link
   * #commit}.
   */
  private LdapRecipientTable openTable(PolicyConfig.LdapTableConfig config) throws IOException {
    OpenLdapTable old = openTable;
    if (old != null && old.config.equals(config)) return old.table;
    OpenLdapTable opened = new OpenLdapTable(config, LdapRecipientTable.open(config));
    pending = opened;
    return opened.table;
  }

  /** Puts the policy that was built last into effect. */
  void commit() {
    OpenLdapTable old = openTable;
    OpenLdapTable next = pending;
    if (next == null) return;
    openTable = next;
    pending = null;
    if (old != null) old.table.close();
  }

  private List<MessageFilter> checks(PolicyConfig policy) {
    List<MessageFilter> checks = new ArrayList<>();
    if (policy.rates().any()) checks.add(new RateLimits(policy.rates(), state));
    if (policy.helo().any()) checks.add(new HeloCheck(policy.helo(), resolver));
    PolicyConfig.ReverseDnsConfig reverse = policy.reverseDns();
    if (reverse.missing() != Consequence.NONE || reverse.unconfirmed() != Consequence.NONE) {
      checks.add(new ReverseDnsCheck(reverse, resolver));
    }
    PolicyConfig.SenderDomainConfig sender = policy.senderDomain();
    if (sender.unknown() != Consequence.NONE || sender.nullMx() != Consequence.NONE) {
      checks.add(new SenderDomainCheck(sender, resolver));
    }
    if (!policy.dnsbl().sites().isEmpty()) checks.add(new DnsLists(policy.dnsbl(), resolver));
    if (policy.greylist().enabled()) checks.add(new Greylist(policy.greylist(), state, time));
    return checks;
  }

  /** The extensions in jars of {@code lib}, found by their service files. */
  private static <T> List<T> serviceProviders(Class<T> kind) throws IOException {
    try {
      return ServiceLoader.load(kind).stream().map(ServiceLoader.Provider::get).toList();
    } catch (ServiceConfigurationError | LinkageError e) {
      String cause = e.getCause() == null ? "" : " (" + e.getCause() + ")";
      throw new IOException(
          "A jar in lib has a "
              + kind.getSimpleName()
              + " that cannot be used: "
              + e.getMessage()
              + cause,
          e);
    }
  }

  /** The filters of extensions: those with service files, and those named in the configuration. */
  private static List<MessageFilter> extensionFilters(PolicyConfig.FiltersConfig config)
      throws IOException {
    List<MessageFilter> found = new ArrayList<>(serviceProviders(MessageFilter.class));
    for (String name : config.classes()) {
      if (found.stream().anyMatch(f -> f.getClass().getName().equals(name))) continue;
      try {
        Object filter = Class.forName(name).getDeclaredConstructor().newInstance();
        if (!(filter instanceof MessageFilter one)) {
          throw new IOException("policy.filters.classes: " + name + " is not a MessageFilter");
        }
        found.add(one);
      } catch (ReflectiveOperationException | LinkageError e) {
        throw new IOException(
            "policy.filters.classes: " + name + " cannot be used: " + e.getClass().getSimpleName(),
            e);
      }
    }
    return found.stream()
        .<MessageFilter>map(f -> new TimeLimitedFilter(f, config.timeout(), config.onFailure()))
        .toList();
  }
}
