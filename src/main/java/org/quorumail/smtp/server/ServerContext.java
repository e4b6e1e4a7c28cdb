package org.quorumail.smtp.server;

import io.micrometer.core.instrument.MeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.quorumail.auth.Authentication;
import org.quorumail.policy.RelayPolicy;
import org.quorumail.policy.SessionPolicy;
import org.quorumail.smtp.NextHopLimits;
import org.quorumail.spool.Intake;
import org.quorumail.tls.ServerTls;

/**
 * The services that listeners use. The suppliers are asked for each connection, so that a reload
 * reaches the next one without a restart.
 *
 * @param rules the filters and the tarpit
 * @param scratch a folder for messages while filters read them; its files end with the process
 * @param queueRun makes the messages of a domain due (ETRN) without waiting for their delivery
 * @param nextHops the limits for mail to a domain; empty when they are not known
 * @param memory of the sessions of all listeners
 * @param tls empty without a certificate: STARTTLS is not offered
 */
public record ServerContext(
    String hostname,
    Intake intake,
    Supplier<RelayPolicy> policy,
    Supplier<SessionPolicy> rules,
    Path scratch,
    Supplier<Optional<ServerTls>> tls,
    Function<String, EtrnResult> queueRun,
    Function<String, Optional<NextHopLimits>> nextHops,
    Supplier<Authentication> authentication,
    MemoryBudget memory,
    MeterRegistry meters,
    Clock clock) {}
