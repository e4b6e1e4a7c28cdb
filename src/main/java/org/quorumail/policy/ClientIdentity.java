package org.quorumail.policy;

import java.net.InetAddress;
import java.util.Optional;
import java.util.Set;
import org.quorumail.tls.CertificateName;

/**
 * The proved identity of a client. Nothing that a client claims without proof is part of it.
 *
 * @param address source address of the connection; behind a trusted proxy, the one that the proxy
 *     reports
 * @param certificateNames names that the client's TLS certificate proves
 * @param user name with which the client authenticated
 */
public record ClientIdentity(
    InetAddress address, Set<CertificateName> certificateNames, Optional<String> user) {
  public ClientIdentity {
    certificateNames = Set.copyOf(certificateNames);
  }

  /** The identity of a client of which only the address is known. */
  public static ClientIdentity at(InetAddress address) {
    return new ClientIdentity(address, Set.of(), Optional.empty());
  }
}
