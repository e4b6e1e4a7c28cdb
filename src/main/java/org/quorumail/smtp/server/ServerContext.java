package org.quorumail.smtp.server;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Supplier;
import org.quorumail.policy.RelayPolicy;
import org.quorumail.smtp.TlsContexts.ServerTls;
import org.quorumail.spool.Intake;

/**
 * What a listener works with. The suppliers are asked for each connection, so that a reload reaches
 * the next one without a restart.
 *
 * @param tls empty while there is no certificate: STARTTLS is not offered then
 */
public record ServerContext(
    String hostname,
    Intake intake,
    Supplier<RelayPolicy> policy,
    Supplier<Optional<ServerTls>> tls,
    MeterRegistry meters,
    Clock clock) {}
