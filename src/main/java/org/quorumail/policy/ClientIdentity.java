package org.quorumail.policy;

import java.net.InetAddress;
import java.util.Optional;
import java.util.Set;
import org.quorumail.tls.CertificateName;

/**
 * Who sends, as far as it was proved: never what a client says of itself.
 *
 * @param address where it connects from; behind a trusted proxy, what the proxy says
 * @param certificateNames everything that its TLS certificate proves it to be
 * @param user the name with which it authenticated
 */
public record ClientIdentity(
    InetAddress address, Set<CertificateName> certificateNames, Optional<String> user) {
  public ClientIdentity {
    certificateNames = Set.copyOf(certificateNames);
  }

  /** A client of which only the address is known. */
  public static ClientIdentity at(InetAddress address) {
    return new ClientIdentity(address, Set.of(), Optional.empty());
  }
}
