package org.quorumail.dsn;

import java.util.Optional;

/**
 * The settings of {@code [delivery.dsn]}.
 *
 * @param postmaster the author of reports; when empty, MAILER-DAEMON at the hostname
 */
public record DsnConfig(boolean enabled, Optional<String> postmaster) {}
