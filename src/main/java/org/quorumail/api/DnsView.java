package org.quorumail.api;

import java.util.List;
import java.util.Optional;

/** The API's view of name look-ups and of the overrides that replace them. Thread-safe. */
public interface DnsView {
  /** The unexpired entries of the cache, at most {@value #MAX_CACHED}. */
  List<CacheEntry> cache();

  /** Empties the cache, and returns the number of entries that it had. */
  int clearCache();

  /** Looks up a domain's mail hosts without the cache. */
  RefreshResult refresh(String domain);

  /**
   * Finds the way that mail for an address would take now.
   *
   * @throws IllegalArgumentException with a sentence when the address is malformed
   */
  RouteAnswer route(String address);

  List<MxOverride> overrides();

  /** The override of an operator that sends the domain's mail to this host; empty for another. */
  Optional<MxOverride> find(String domain, String host);

  /**
   * Sends a domain's mail to a host from now on, on all nodes, those included that are down now.
   *
   * @param host {@code host} or {@code host:port}
   * @param author the operator, as lists name it
   * @throws IllegalArgumentException with a sentence when one of the two is malformed
   * @throws ChangeRefusedException when nothing was changed, or perhaps not
   */
  MxOverride set(String domain, String host, String author);

  /**
   * Removes and returns an override; empty when an operator has set none.
   *
   * @throws ChangeRefusedException when nothing was changed, or perhaps not
   */
  Optional<MxOverride> remove(String domain);

  int MAX_CACHED = 10_000;

  /**
   * One cached answer.
   *
   * @param result found, no_data, no_such_name or failure
   */
  record CacheEntry(String name, String type, String result, List<String> values, long ttlSeconds) {
    public CacheEntry {
      values = List.copyOf(values);
    }
  }

  /**
   * The result of a look-up.
   *
   * @param problem empty when hosts were found
   */
  record RefreshResult(String domain, List<String> hosts, String problem) {
    public RefreshResult {
      hosts = List.copyOf(hosts);
    }
  }

  /**
   * The way of mail for an address.
   *
   * @param source the setting that decides: override, delivery.domains, route[N] or mx
   * @param hops hosts with their addresses in the order of one attempt, or what else takes the mail
   * @param problem why there is no hop; empty when there is one
   */
  record RouteAnswer(
      String address, String source, String destination, List<String> hops, String problem) {
    public RouteAnswer {
      hops = List.copyOf(hops);
    }
  }

  /**
   * The host that replaces the mail hosts of a domain.
   *
   * @param source operator or configuration
   * @param author the operator; empty for the configuration
   */
  record MxOverride(String domain, String host, String source, String author) {}
}
