package org.quorumail.admin;

import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.quorumail.api.ChangeRefusedException;
import org.quorumail.api.DnsView;
import org.quorumail.cluster.OperatorOrder.RemoveMxOverride;
import org.quorumail.cluster.OperatorOrder.SetMxOverride;
import org.quorumail.cluster.OperatorOrders;
import org.quorumail.config.AddressPattern;
import org.quorumail.config.HostName;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.delivery.RouteExplanation;
import org.quorumail.dns.CachedAnswer;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.MailExchanger;
import org.quorumail.dns.Resolver;
import org.quorumail.mail.MailAddress;
import org.quorumail.node.ClusterOrders;
import org.quorumail.node.Config;
import org.quorumail.node.LiveConfig;

/** The resolver and the MX overrides as the API shows and changes them. */
public final class DnsReport implements DnsView {
  private static final int SMTP_PORT = 25;

  private final Resolver resolver;
  private final MxOverrides table;
  private final ClusterOrders orders;
  private final LiveConfig config;
  private final Clock clock;

  /**
   * @param table the overrides in force here; they win over the configured ones
   * @param orders the operator's orders, from which the table comes
   */
  public DnsReport(
      Resolver resolver, MxOverrides table, ClusterOrders orders, LiveConfig config, Clock clock) {
    this.resolver = resolver;
    this.table = table;
    this.orders = orders;
    this.config = config;
    this.clock = clock;
  }

  @Override
  public List<CacheEntry> cache() {
    return resolver.cached(MAX_CACHED).stream().map(DnsReport::entry).toList();
  }

  private static CacheEntry entry(CachedAnswer cached) {
    return new CacheEntry(
        cached.name(),
        cached.type(),
        cached.result(),
        cached.values(),
        cached.remainingTtl().toSeconds());
  }

  @Override
  public int clearCache() {
    return resolver.clearCache();
  }

  @Override
  public RefreshResult refresh(String domain) {
    String name = HostName.validate(domain);
    return switch (resolver.refresh(name)) {
      case LookupResult.Found<MailExchanger> found ->
          new RefreshResult(name, found.values().stream().map(MailExchanger::name).toList(), "");
      case LookupResult.Absent<MailExchanger> absent ->
          new RefreshResult(name, List.of(), absent.reason());
      case LookupResult.Unknown<MailExchanger> unknown ->
          new RefreshResult(name, List.of(), unknown.reason());
    };
  }

  @Override
  public RouteAnswer route(String address) {
    MailAddress mailbox = MailAddress.of(AddressPattern.mailbox(address).toString());
    Config now = config.current();
    RouteExplanation way =
        RouteExplanation.of(
            now.hostname(), mailbox.domain(), now.routes(), now.delivery(), table, resolver);
    return new RouteAnswer(
        mailbox.toString(), way.source(), way.destination(), way.hops(), way.problem());
  }

  @Override
  public List<MxOverride> overrides() {
    List<MxOverride> all = new ArrayList<>();
    Map<String, HostPort> set = table.all();
    Map<String, SetMxOverride> ordered = orders.current().mxOverrides();
    set.forEach(
        (domain, host) -> {
          SetMxOverride order = ordered.get(domain);
          all.add(ofOperator(domain, host.toString(), order == null ? "" : order.author()));
        });
    config
        .current()
        .delivery()
        .domains()
        .forEach(
            (domain, configured) -> {
              if (configured.mxOverride().isEmpty() || set.containsKey(domain)) return;
              String host = configured.mxOverride().get().toString();
              all.add(new MxOverride(domain, host, "configuration", ""));
            });
    return all;
  }

  @Override
  public Optional<MxOverride> find(String domain, String host) {
    String to = HostPort.parse(host.strip(), SMTP_PORT).toString();
    String name = HostName.validate(domain).toLowerCase(Locale.ROOT);
    return Optional.ofNullable(orders.current().mxOverrides().get(name))
        .filter(order -> order.host().equals(to))
        .map(DnsReport::ofOperator);
  }

  @Override
  public MxOverride set(String domain, String host, String author) {
    String name = HostName.validate(domain);
    String to = HostPort.parse(host.strip(), SMTP_PORT).toString();
    SetMxOverride order = new SetMxOverride(name, to, clock.millis(), author);
    return switch (orders.give(order)) {
      case FULL ->
          throw ChangeRefusedException.conflict(
              "more than %d overrides; use routes".formatted(OperatorOrders.MAX));
      case DONE, ABSENT -> ofOperator(order);
    };
  }

  @Override
  public Optional<MxOverride> remove(String domain) {
    String name = HostName.validate(domain).toLowerCase(Locale.ROOT);
    SetMxOverride former = orders.current().mxOverrides().get(name);
    OperatorOrders.Result result = orders.give(new RemoveMxOverride(name));
    if (result == OperatorOrders.Result.ABSENT) return Optional.empty();
    return Optional.of(former == null ? ofOperator(name, "", "") : ofOperator(former));
  }

  private static MxOverride ofOperator(SetMxOverride order) {
    return ofOperator(order.domain(), order.host(), order.author());
  }

  private static MxOverride ofOperator(String domain, String host, String author) {
    return new MxOverride(domain, host, "operator", author);
  }
}
