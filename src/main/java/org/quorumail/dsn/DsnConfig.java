package org.quorumail.dsn;

import java.util.Optional;

/** An empty postmaster means {@code postmaster@} and the hostname. */
public record DsnConfig(boolean enabled, Optional<String> postmaster) {}
