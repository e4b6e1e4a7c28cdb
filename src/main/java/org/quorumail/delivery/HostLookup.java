package org.quorumail.delivery;

import java.net.InetAddress;
import java.util.List;
import org.quorumail.mail.EnhancedStatus;

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

  /** The route says that mail is discarded. */
  record Discard() implements HostLookup {}

  /**
   * @param configured whether the configuration names the host, and not the domain's DNS
   */
  record TargetHost(
      String name, int port, List<InetAddress> addresses, boolean lmtp, boolean configured) {
    public TargetHost {
      addresses = List.copyOf(addresses);
    }

    /** The key of the host in the circuit breakers. */
    String key() {
      return name + ":" + port;
    }
  }
}
