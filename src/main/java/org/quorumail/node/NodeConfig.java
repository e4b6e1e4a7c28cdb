package org.quorumail.node;

import java.nio.file.Path;
import java.util.Optional;

/** {@code [node]}; an empty id means: generated once, kept in the data directory. */
public record NodeConfig(Optional<String> id, Path dataDirectory, String region, String zone) {}
