package org.quorumail.tls;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code [tls]}: for listeners without a pair of their own. */
public record TlsConfig(
    Optional<KeyPairFiles> certificate,
    List<KeyPairFiles> more,
    String minVersion,
    Optional<Path> clientCa) {}
