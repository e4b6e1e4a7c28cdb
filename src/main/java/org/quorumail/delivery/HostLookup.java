package org.quorumail.delivery;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.smtp.client.ServerEndpoint;

/** The hosts of a destination, in the order in which one attempt tries them. */
sealed interface HostLookup {
  record Found(List<TargetHost> hosts) implements HostLookup {
    public Found {
      hosts = List.copyOf(hosts);
    }
  }

  /** The destination has no host: a permanent failure. */
  record None(EnhancedStatus status, String reason) implements HostLookup {}

  /** The hosts are not known at the moment: a transient failure. */
  record Unknown(EnhancedStatus status, String reason) implements HostLookup {}

  /** The route gives every recipient this outcome, without a host. */
  record Decided(Outcome outcome) implements HostLookup {}

  /**
   * @param configured whether the configuration names the host, and not the domain's DNS
   */
  record TargetHost(
      String name, List<? extends SocketAddress> addresses, boolean lmtp, boolean configured) {
    public TargetHost {
      addresses = List.copyOf(addresses);
    }

    static TargetHost of(
        String name, int port, List<InetAddress> addresses, boolean lmtp, boolean configured) {
      List<InetSocketAddress> all =
          addresses.stream().map(address -> new InetSocketAddress(address, port)).toList();
      return new TargetHost(name, all, lmtp, configured);
    }

    /** The addresses with the host's name, as logs show them. */
    List<String> endpoints() {
      return addresses.stream().map(address -> ServerEndpoint.text(name, address)).toList();
    }

    /** The key of the host in the circuit breakers. */
    String key() {
      return ServerEndpoint.hostKey(name, addresses.getFirst());
    }
  }
}
