package org.quorumail.dns;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/** Empty servers: those of the system's resolver configuration. */
public record DnsConfig(
    List<InetSocketAddress> servers,
    Duration timeout,
    int cacheSize,
    Duration minTtl,
    Duration maxTtl) {}
