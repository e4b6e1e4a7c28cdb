package org.quorumail.dns;

import java.net.InetAddress;

/** What the name system says about where mail goes. Thread-safe; blocks for a bounded time. */
public interface Resolver {
  /**
   * The hosts that take a domain's mail, RFC 5321 §5.1: best preference first, equal ones shuffled;
   * the domain itself when it has addresses and no MX.
   */
  Answer<MailHost> mailHosts(String domain);

  /** The addresses of a host, IPv4 first; an address literal (without brackets) is its own. */
  Answer<InetAddress> addresses(String host);

  /** Forgets what was cached. */
  void clearCache();
}
