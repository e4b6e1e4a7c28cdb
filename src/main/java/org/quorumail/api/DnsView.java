package org.quorumail.api;

import java.util.List;
import java.util.Optional;

/** Name lookups and what replaces them. Implemented by the composition root. Thread-safe. */
public interface DnsView {
  /** Entries of the cache that are still good, at most {@value #MAX_CACHED}. */
  List<CacheEntry> cache();

  /** Forgets all; the number of entries that this was. */
  int clearCache();

  /** Asks anew, past the cache; the domain's mail hosts or why there are none. */
  RefreshResult refresh(String domain);

  List<MxOverride> overrides();

  /**
   * Sends a domain's mail to a host from now on.
   *
   * @param host {@code host} or {@code host:port}
   * @throws IllegalArgumentException with a sentence when one of the two is not what it should be
   */
  MxOverride set(String domain, String host);

  /** The override that was taken away; empty when an operator has set none. */
  Optional<MxOverride> remove(String domain);

  int MAX_CACHED = 10_000;

  /**
   * @param result found, no_data, no_such_name or failure
   */
  record CacheEntry(String name, String type, String result, List<String> values, long ttlSeconds) {
    public CacheEntry {
      values = List.copyOf(values);
    }
  }

  /**
   * @param problem empty when hosts were found
   */
  record RefreshResult(String domain, List<String> hosts, String problem) {
    public RefreshResult {
      hosts = List.copyOf(hosts);
    }
  }

  /**
   * @param source operator or configuration
   */
  record MxOverride(String domain, String host, String source) {}
}
