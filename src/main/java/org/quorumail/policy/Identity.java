package org.quorumail.policy;

import java.net.InetAddress;
import java.util.Optional;
import java.util.Set;
import org.quorumail.config.CertificateName;

/**
 * Who sends, as far as it was proved: never what a client says of itself.
 *
 * @param address where it connects from; behind a trusted proxy, what the proxy says
 * @param certificate everything that its TLS certificate proves it to be
 * @param user the name with which it authenticated
 */
public record Identity(
    InetAddress address, Set<CertificateName> certificate, Optional<String> user) {
  public Identity {
    certificate = Set.copyOf(certificate);
  }

  /** A client of which only the address is known. */
  public static Identity at(InetAddress address) {
    return new Identity(address, Set.of(), Optional.empty());
  }
}
