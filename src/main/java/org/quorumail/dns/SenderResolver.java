package org.quorumail.dns;

import java.net.InetAddress;

/** What the name system also says about who sends mail. Thread-safe; blocks for a bounded time. */
public interface SenderResolver extends Resolver {
  /** The IPv4 addresses of a name, without the hosts file: what a DNS list answers, RFC 5782. */
  LookupResult<InetAddress> dnsListCodes(String name);

  /** The texts of a name (TXT), each with its parts put together. */
  LookupResult<String> textRecords(String name);

  /** The names of an address (PTR), without a final dot. */
  LookupResult<String> hostNames(InetAddress address);
}
