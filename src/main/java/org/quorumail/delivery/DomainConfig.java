package org.quorumail.delivery;

import java.util.List;
import java.util.Optional;
import org.quorumail.config.HostPort;
import org.quorumail.config.RateLimit;

/**
 * The settings of one domain, {@code [delivery.domains."…"]}.
 *
 * @param addressFamily empty: that of {@code [delivery]}
 * @param tlsNames as {@link Destination#tlsNames}
 */
public record DomainConfig(
    Optional<HostPort> mxOverride,
    boolean requireTls,
    boolean acceptInvalidCerts,
    List<String> tlsNames,
    int maxConnections,
    Optional<RateLimit> rateLimit,
    Optional<AddressFamily> addressFamily) {}
