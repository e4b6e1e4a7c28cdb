package org.quorumail.dns;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;

/** The DNS lookups that delivery needs. Thread-safe; blocks for a bounded time. */
public interface Resolver {
  /**
   * The hosts that take a domain's mail, RFC 5321 §5.1: best preference first, equal ones shuffled.
   * A domain with addresses and without MX is its own exchanger.
   */
  LookupResult<MailExchanger> mailExchangers(String domain);

  /**
   * The addresses of a host, in no special order. An IP address in text form is its own address.
   */
  LookupResult<InetAddress> addresses(String host);

  /** Clears the cache; returns the number of answers that it held. */
  int clearCache();

  /** The valid answers in the cache, at most so many. */
  List<CachedAnswer> cached(int limit);

  /**
   * Forgets the answers about a name and about its exchangers; the next lookup asks the servers.
   */
  void forget(String host);

  /** Looks up a domain's exchangers and their addresses again, past the cache. */
  LookupResult<MailExchanger> refresh(String domain);

  /**
   * Returns whether a name server answers within the timeout, by a probe of now or of seconds ago.
   */
  boolean isNameServerReachable(Duration timeout);
}
