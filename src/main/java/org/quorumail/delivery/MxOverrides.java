package org.quorumail.delivery;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.quorumail.config.HostPort;

/**
 * The hosts that an operator has set for domains at run time. They precede {@code mx_override} of
 * the configuration, routes and MX records, and count from the next attempt on. Thread-safe.
 */
public final class MxOverrides {
  /** Operators set overrides one by one; more of them belong into routes. */
  public static final int MAX = 10_000;

  private final Map<String, HostPort> hosts = new ConcurrentHashMap<>();

  /** Sets the host of a domain; false when there are too many overrides already. */
  public boolean set(String domain, HostPort host) {
    String key = key(domain);
    if (hosts.size() >= MAX && !hosts.containsKey(key)) return false;
    hosts.put(key, host);
    return true;
  }

  /** Removes an override; false when there was none. */
  public boolean remove(String domain) {
    return hosts.remove(key(domain)) != null;
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
