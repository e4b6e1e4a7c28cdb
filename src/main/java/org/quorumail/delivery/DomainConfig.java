package org.quorumail.delivery;

import java.util.Optional;
import org.quorumail.config.HostPort;
import org.quorumail.config.RateLimit;

/** The settings of one domain, {@code [delivery.domains."…"]}. */
public record DomainConfig(
    Optional<HostPort> mxOverride,
    boolean requireTls,
    boolean acceptInvalidCerts,
    int maxConnections,
    Optional<RateLimit> rateLimit) {}
