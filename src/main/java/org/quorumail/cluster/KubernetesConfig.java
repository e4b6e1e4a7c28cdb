package org.quorumail.cluster;

import java.nio.file.Path;
import java.util.Optional;

/** {@code [cluster.kubernetes]}. */
public record KubernetesConfig(
    String service,
    Optional<String> namespace,
    Optional<String> apiServer,
    Path tokenFile,
    Path caFile) {}
