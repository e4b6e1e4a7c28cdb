package org.quorumail.smtp.client;

import java.net.InetSocketAddress;

/**
 * One address of one host, and how it is spoken to.
 *
 * @param name the host's name as the route or the MX gave it; also for SNI and its certificate
 * @param address resolved
 * @param lmtp whether it speaks LMTP, RFC 2033
 * @param mayHaveOwnName whether our own name in its greeting is taken for a coincidence instead of
 *     a loop; an operator may name a neighbour on the same machine
 */
public record ServerEndpoint(
    String name, InetSocketAddress address, boolean lmtp, TlsRule tls, boolean mayHaveOwnName) {

  /** {@code name[address]:port}, as logs and reports show it. */
  @Override
  public String toString() {
    return name + "[" + address.getAddress().getHostAddress() + "]:" + address.getPort();
  }
}
