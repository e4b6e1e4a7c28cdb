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
import org.quorumail.spool.Intake;
import org.quorumail.tls.ServerTls;

/**
 * What a listener works with. The suppliers are asked for each connection, so that a reload reaches
 * the next one without a restart.
 *
 * @param rules the filters and what goes with them
 * @param scratch a folder for messages while filters read them; nothing in it outlives the process
 * @param queueRun starts the queue for a domain (ETRN); does not wait for its end
 * @param tls empty while there is no certificate: STARTTLS is not offered then
 */
public record ServerContext(
    String hostname,
    Intake intake,
    Supplier<RelayPolicy> policy,
    Supplier<SessionPolicy> rules,
    Path scratch,
    Supplier<Optional<ServerTls>> tls,
    Function<String, EtrnResult> queueRun,
    Supplier<Authentication> authentication,
    MeterRegistry meters,
    Clock clock) {}
