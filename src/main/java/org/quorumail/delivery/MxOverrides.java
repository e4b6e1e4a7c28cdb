package org.quorumail.delivery;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.quorumail.config.HostPort;

/**
 * The hosts that an operator has set for domains at run time. They precede {@code mx_override} of
 * the configuration, routes and MX records, and count from the next attempt on. Thread-safe.
 */
public final class MxOverrides {
  private volatile Map<String, HostPort> hosts = Map.of();

  /** Replaces all overrides at once. */
  public void replaceAll(Map<String, HostPort> next) {
    Map<String, HostPort> copy = new TreeMap<>();
    next.forEach((domain, host) -> copy.put(key(domain), host));
    hosts = Map.copyOf(copy);
  }

  public Optional<HostPort> find(String domain) {
    return Optional.ofNullable(hosts.get(key(domain)));
  }

  /** All overrides, by domain. */
  public Map<String, HostPort> all() {
    return new TreeMap<>(hosts);
  }

  private static String key(String domain) {
    return domain.toLowerCase(Locale.ROOT);
  }
}
