package org.quorumail.smtp.client;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One address of one host, with the protocol and the TLS rule for it.
 *
 * @param name the host's name in the route or the MX; also for SNI
 * @param address resolved; a Unix socket for LMTP alone
 * @param lmtp whether the protocol is LMTP, RFC 2033
 * @param configured whether the configuration names the host, and not DNS; then a greeting with
 *     this node's name is no loop, since it may be another server on the same machine
 * @param login the account of the session; null for none
 * @param certificateNames the names that its certificate may have where it is verified, with a dot
 *     in front for any name below; empty: its own name
 */
public record ServerEndpoint(
    String name,
    SocketAddress address,
    boolean lmtp,
    TlsRule tls,
    boolean configured,
    @Nullable Login login,
    List<String> certificateNames) {
  public ServerEndpoint {
    certificateNames = List.copyOf(certificateNames);
  }

  /** An endpoint whose certificate must have its own name where it is verified. */
  public ServerEndpoint(
      String name,
      SocketAddress address,
      boolean lmtp,
      TlsRule tls,
      boolean configured,
      @Nullable Login login) {
    this(name, address, lmtp, tls, configured, login, List.of());
  }

  /** The key of a host, whatever its address is: {@code name:port}, or the path of a socket. */
  public static String hostKey(String name, SocketAddress address) {
    return address instanceof InetSocketAddress internet ? name + ":" + internet.getPort() : name;
  }

  /** The key of the host of this endpoint. */
  public String hostKey() {
    return hostKey(name, address);
  }

  /** Returns whether the server is reached without a network. */
  boolean isUnixSocket() {
    return !(address instanceof InetSocketAddress);
  }

  /** {@code name[address]:port}, or the path of a socket, as logs and reports show it. */
  @Override
  public String toString() {
    return text(name, address);
  }

  /** The text of an endpoint. */
  public static String text(String name, SocketAddress address) {
    return address instanceof InetSocketAddress internet
        ? name + "[" + internet.getAddress().getHostAddress() + "]:" + internet.getPort()
        : name;
  }
}
