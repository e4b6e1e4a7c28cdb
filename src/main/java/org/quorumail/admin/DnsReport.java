package org.quorumail.admin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.api.DnsView;
import org.quorumail.config.HostName;
import org.quorumail.config.HostPort;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.dns.CachedAnswer;
import org.quorumail.dns.LookupResult;
import org.quorumail.dns.MailExchanger;
import org.quorumail.dns.Resolver;
import org.quorumail.node.Config;
import org.quorumail.node.NodeStartException;
import org.quorumail.replication.DurableFile;

/**
 * The resolver as the API shows it, and the operator's overrides, which are kept in the data
 * directory: one {@code domain host:port} per line. They are this node's own.
 */
public final class DnsReport implements DnsView {
  private static final String FILE = "mx-overrides";
  private static final int SMTP_PORT = 25;

  private final Supplier<Config> config;
  private final Path file;
  private final MxOverrides overrides = new MxOverrides();
  private volatile @Nullable Resolver resolver;

  private DnsReport(Supplier<Config> config, Path file) {
    this.config = config;
    this.file = file;
  }

  public static DnsReport open(Supplier<Config> config, Path directory) throws NodeStartException {
    DnsReport report = new DnsReport(config, directory.resolve(FILE));
    try {
      if (Files.exists(report.file)) {
        for (String line : Files.readAllLines(report.file)) report.readOverride(line);
      }
      return report;
    } catch (IOException | IllegalArgumentException e) {
      throw new NodeStartException(
          "%s cannot be read (%s); correct it or delete it, then the overrides are gone"
              .formatted(report.file, e.getMessage()),
          e);
    }
  }

  private void readOverride(String line) {
    String[] words = line.split(" ");
    if (words.length != 2) throw new IllegalArgumentException("not a domain and a host: " + line);
    overrides.set(words[0], HostPort.parse(words[1], SMTP_PORT));
  }

  public MxOverrides table() {
    return overrides;
  }

  public void use(Resolver running) {
    resolver = running;
  }

  @Override
  public List<CacheEntry> cache() {
    Resolver running = resolver;
    if (running == null) return List.of();
    return running.cached(MAX_CACHED).stream().map(DnsReport::entry).toList();
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
    Resolver running = resolver;
    return running == null ? 0 : running.clearCache();
  }

  @Override
  public RefreshResult refresh(String domain) {
    String name = HostName.validate(domain);
    Resolver running = resolver;
    if (running == null) return new RefreshResult(name, List.of(), "the node is still starting");
    return switch (running.refresh(name)) {
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
    Map<String, HostPort> set = overrides.all();
    set.forEach((domain, host) -> all.add(operators(domain, host)));
    config
        .get()
        .delivery()
        .domains()
        .forEach(
            (domain, own) -> {
              if (own.mxOverride().isEmpty() || set.containsKey(domain)) return;
              String host = own.mxOverride().get().toString();
              all.add(new MxOverride(domain, host, "configuration"));
            });
    return all;
  }

  private static MxOverride operators(String domain, HostPort host) {
    return new MxOverride(domain, host.toString(), "operator");
  }

  @Override
  public synchronized MxOverride set(String domain, String host) {
    String name = HostName.validate(domain);
    HostPort to = HostPort.parse(host.strip(), SMTP_PORT);
    if (host.matches(".*[\\s/].*")) throw new IllegalArgumentException("not a host: " + host);
    if (!overrides.set(name, to)) {
      throw new IllegalArgumentException("more than " + MxOverrides.MAX + " overrides; use routes");
    }
    store();
    return operators(name, to);
  }

  @Override
  public synchronized Optional<MxOverride> remove(String domain) {
    Optional<HostPort> was = overrides.find(domain);
    if (was.isEmpty() || !overrides.remove(domain)) return Optional.empty();
    store();
    return Optional.of(operators(domain, was.get()));
  }

  private void store() {
    StringBuilder lines = new StringBuilder();
    overrides.all().forEach((d, host) -> lines.append(d).append(' ').append(host).append('\n'));
    try {
      DurableFile.replace(file, lines.toString().getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new IllegalStateException(file + " cannot be written", e);
    }
  }
}
