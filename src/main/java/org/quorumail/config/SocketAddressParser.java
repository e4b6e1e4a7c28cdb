package org.quorumail.config;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Parsers of socket addresses in the configuration. No name is resolved here. */
public final class SocketAddressParser {
  /** The wildcard address: it listens on IPv4 and IPv6, or on IPv4 alone on a host without IPv6. */
  public static final InetAddress ANY = wildcard();

  private static final int DNS_PORT = 53;

  private SocketAddressParser() {}

  /** A host whose IPv6 is switched off refuses to bind {@code ::}. */
  private static InetAddress wildcard() {
    InetAddress both = InetAddress.ofLiteral("::");
    try (ServerSocket probe = new ServerSocket()) {
      probe.bind(new InetSocketAddress(both, 0));
      return both;
    } catch (IOException e) {
      return InetAddress.ofLiteral("0.0.0.0");
    }
  }

  /** Reads {@code [::]:2525} or {@code 127.0.0.1:25}; port 0 lets the system choose. */
  public static InetSocketAddress socket(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) throw notASocket(text);
    String host = text.substring(0, colon);
    try {
      int port = Integer.parseInt(text.substring(colon + 1));
      if (port < 0 || port > 65_535) throw notASocket(text);
      return new InetSocketAddress(literal(host), port);
    } catch (NumberFormatException e) {
      throw notASocket(text);
    }
  }

  private static InetAddress literal(String host) {
    if (host.equals("localhost")) return InetAddress.ofLiteral("127.0.0.1");
    boolean brackets = host.startsWith("[") && host.endsWith("]");
    if (!brackets && host.indexOf(':') >= 0) throw notASocket(host);
    InetAddress address = IpLiteral.parse(brackets ? host.substring(1, host.length() - 1) : host);
    return brackets && address.isAnyLocalAddress() ? ANY : address;
  }

  private static IllegalArgumentException notASocket(String text) {
    return new IllegalArgumentException(
        "must be an address and a port such as \"[::]:2525\" or \"127.0.0.1:2525\", not \""
            + text
            + "\"");
  }

  /** Reads the address of a name server, with a port when it is not 53. */
  public static InetSocketAddress nameServer(String text) {
    HostPort server = HostPort.parse(text.strip(), DNS_PORT);
    return new InetSocketAddress(IpLiteral.parse(server.host()), server.port());
  }
}
