package org.quorumail.dns;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;

/**
 * The settings of {@code [delivery.dns]}.
 *
 * @param servers the recursive name servers; when empty, those of the system's configuration
 */
public record DnsConfig(
    List<InetSocketAddress> servers,
    Duration timeout,
    int cacheSize,
    Duration minTtl,
    Duration maxTtl) {}
