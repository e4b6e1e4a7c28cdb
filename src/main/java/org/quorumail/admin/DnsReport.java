package org.quorumail.admin;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.quorumail.api.DnsView;
import org.quorumail.config.HostName;
import org.quorumail.config.HostPort;
import org.quorumail.dns.CachedAnswer;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.MailExchanger;
import org.quorumail.dns.Resolver;
import org.quorumail.node.LiveConfig;
import org.quorumail.node.MxOverrideFile;

/** The resolver and the MX overrides as the API shows and changes them. */
public final class DnsReport implements DnsView {
  private static final int SMTP_PORT = 25;

  private final Resolver resolver;
  private final MxOverrideFile operators;
  private final LiveConfig config;

  /**
   * @param operators the overrides that an operator has set; they win over the configured ones
   */
  public DnsReport(Resolver resolver, MxOverrideFile operators, LiveConfig config) {
    this.resolver = resolver;
    this.operators = operators;
    this.config = config;
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
  public List<MxOverride> overrides() {
    List<MxOverride> all = new ArrayList<>();
    Map<String, HostPort> set = operators.table().all();
    set.forEach((domain, host) -> all.add(ofOperator(domain, host)));
    config
        .current()
        .delivery()
        .domains()
        .forEach(
            (domain, configured) -> {
              if (configured.mxOverride().isEmpty() || set.containsKey(domain)) return;
              String host = configured.mxOverride().get().toString();
              all.add(new MxOverride(domain, host, "configuration"));
            });
    return all;
  }

  @Override
  public MxOverride set(String domain, String host) {
    String name = HostName.validate(domain);
    HostPort to = HostPort.parse(host.strip(), SMTP_PORT);
    operators.set(name, to);
    return ofOperator(name, to);
  }

  @Override
  public Optional<MxOverride> remove(String domain) {
    String name = HostName.validate(domain);
    return operators.remove(name).map(former -> ofOperator(name, former));
  }

  private static MxOverride ofOperator(String domain, HostPort host) {
    return new MxOverride(domain, host.toString(), "operator");
  }
}
