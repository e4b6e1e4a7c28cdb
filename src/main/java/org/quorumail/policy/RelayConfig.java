package org.quorumail.policy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.config.Network;
import org.quorumail.tls.CertificateName;

/**
 * The settings of {@code [relay]}: clients that may relay anywhere, and domains whose mail is
 * accepted from anyone.
 */
public record RelayConfig(
    List<Network> networks,
    Set<CertificateName> certificates,
    Set<String> domains,
    Optional<Path> recipients) {}
