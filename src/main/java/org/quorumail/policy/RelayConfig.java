package org.quorumail.policy;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.quorumail.config.HostName;
import org.quorumail.config.Network;
import org.quorumail.config.Section;
import org.quorumail.tls.CertificateName;

/**
 * The settings of {@code [relay]}: clients that may relay anywhere, and domains whose mail is
 * accepted from anyone.
 *
 * @param domains in the order of the configuration
 */
public record RelayConfig(
    List<Network> networks,
    Set<CertificateName> certificates,
    Set<String> domains,
    Optional<Path> recipients) {

  public static RelayConfig read(Section relay) {
    return new RelayConfig(
        relay.list(
            "networks",
            "networks",
            List.of("127.0.0.0/8", "::1/128"),
            "clients that may send anywhere",
            Network::parse),
        Set.copyOf(
            relay.list(
                "certificates",
                "certificate names",
                List.of(),
                "client certificates that may send anywhere: \"sha256:…\" (fingerprint), or"
                    + " \"dns:…\", \"email:…\" (a name in one signed by tls.client_ca)",
                CertificateName::parse)),
        inOrder(
            relay.list(
                "domains",
                "domains",
                List.of(),
                "recipient domains that are accepted from anyone",
                HostName::validate)),
        relay.optional(
            "recipients",
            "path",
            "",
            "table of the known recipients in these domains, one address per line; others get 550",
            Path::of));
  }

  /** Keeps the order: the first domain may be that of the bare postmaster. */
  private static Set<String> inOrder(List<String> domains) {
    return Collections.unmodifiableSet(new LinkedHashSet<>(domains));
  }
}
