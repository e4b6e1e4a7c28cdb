package org.quorumail.dns;

import java.net.InetAddress;

/** The DNS lookups about clients and senders, beside those of delivery. Thread-safe. */
public interface SenderResolver extends Resolver {
  /** The IPv4 addresses of a name, without the hosts file: the codes of a DNS list, RFC 5782. */
  LookupResult<InetAddress> dnsListCodes(String name);

  /** The TXT records of a name, each with its strings joined. */
  LookupResult<String> textRecords(String name);

  /** The names of an address (PTR), without a final dot. */
  LookupResult<String> hostNames(InetAddress address);
}
