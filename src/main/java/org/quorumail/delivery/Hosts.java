package org.quorumail.delivery;

import java.net.InetAddress;
import java.util.List;
import org.quorumail.mail.EnhancedStatus;

/** The hosts of a destination, as one attempt will try them. */
sealed interface Hosts {
  record Found(List<Host> hosts) implements Hosts {
    public Found {
      hosts = List.copyOf(hosts);
    }
  }

  /** No host will ever take it. */
  record None(EnhancedStatus status, String reason) implements Hosts {}

  /** It is not known at the moment. */
  record Unknown(EnhancedStatus status, String reason) implements Hosts {}

  /** The operator wants it thrown away. */
  record Discard() implements Hosts {}

  /**
   * @param explicit whether the operator named it, not the domain's DNS
   */
  record Host(String name, int port, List<InetAddress> addresses, boolean lmtp, boolean explicit) {
    public Host {
      addresses = List.copyOf(addresses);
    }

    /** How the circuit breakers know it. */
    String key() {
      return name + ":" + port;
    }
  }
}
