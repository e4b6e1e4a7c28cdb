package org.quorumail.delivery;

import java.net.InetAddress;
import java.util.List;
import org.quorumail.mail.EnhancedStatus;

/** The hosts of a destination, as one attempt will try them. */
sealed interface HostLookup {
  record Found(List<TargetHost> hosts) implements HostLookup {
    public Found {
      hosts = List.copyOf(hosts);
    }
  }

  /** No host will ever take it. */
  record None(EnhancedStatus status, String reason) implements HostLookup {}

  /** It is not known at the moment. */
  record Unknown(EnhancedStatus status, String reason) implements HostLookup {}

  /** The operator wants it thrown away. */
  record Discard() implements HostLookup {}

  /**
   * @param configured whether the operator named it, not the domain's DNS
   */
  record TargetHost(
      String name, int port, List<InetAddress> addresses, boolean lmtp, boolean configured) {
    public TargetHost {
      addresses = List.copyOf(addresses);
    }

    /** How the circuit breakers know it. */
    String key() {
      return name + ":" + port;
    }
  }
}
