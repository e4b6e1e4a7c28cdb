package org.quorumail.dns;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;

/** What the name system says about where mail goes. Thread-safe; blocks for a bounded time. */
public interface Resolver {
  /**
   * The hosts that take a domain's mail, RFC 5321 §5.1: best preference first, equal ones shuffled;
   * the domain itself when it has addresses and no MX.
   */
  LookupResult<MailExchanger> mailExchangers(String domain);

  /** The addresses of a host, IPv4 first; an address literal (without brackets) is its own. */
  LookupResult<InetAddress> addresses(String host);

  /** Forgets what was cached; the number of answers that this was. */
  int clearCache();

  /** What is cached and still good, at most so many answers. */
  List<CachedAnswer> cached(int limit);

  /** Asks anew for a domain's mail hosts and their addresses, past the cache. */
  LookupResult<MailExchanger> refresh(String domain);

  /** Whether a name server answers within that time; asked now, or a moment ago. */
  boolean isNameServerReachable(Duration patience);
}
