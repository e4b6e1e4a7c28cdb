package org.quorumail.gossip.transport;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import org.quorumail.gossip.NodeAddress;

/** Conversions between the cores' {@link NodeAddress} and the JDK's socket address. */
public final class SocketAddresses {
  private SocketAddresses() {}

  public static NodeAddress toNodeAddress(InetSocketAddress socket) {
    return NodeAddress.of(socket.getAddress().getAddress(), socket.getPort());
  }

  public static InetSocketAddress toSocketAddress(NodeAddress address) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(address.raw()), address.port());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address has 4 or 16 bytes", e);
    }
  }
}
