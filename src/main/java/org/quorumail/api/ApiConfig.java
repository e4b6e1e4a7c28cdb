package org.quorumail.api;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The settings of {@code [api]}.
 *
 * @param tokenFile file with the bearer token; without it no client can write over HTTP
 */
public record ApiConfig(Optional<Path> tokenFile) {}
