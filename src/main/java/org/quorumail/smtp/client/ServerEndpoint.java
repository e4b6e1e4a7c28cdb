package org.quorumail.smtp.client;

import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * One address of one host, with the protocol and the TLS rule for it.
 *
 * @param name the host's name in the route or the MX; also for SNI and its certificate
 * @param address resolved
 * @param lmtp whether the protocol is LMTP, RFC 2033
 * @param mayHaveOwnName whether a greeting with this node's name is no loop: an operator may
 *     configure another server on the same machine
 * @param login the account of the session; null for none
 */
public record ServerEndpoint(
    String name,
    InetSocketAddress address,
    boolean lmtp,
    TlsRule tls,
    boolean mayHaveOwnName,
    @Nullable Login login) {

  /** {@code name[address]:port}, as logs and reports show it. */
  @Override
  public String toString() {
    return name + "[" + address.getAddress().getHostAddress() + "]:" + address.getPort();
  }
}
