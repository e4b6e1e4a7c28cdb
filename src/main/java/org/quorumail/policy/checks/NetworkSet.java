package org.quorumail.policy.checks;

import java.io.IOException;
import java.net.InetAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.quorumail.config.Network;

/** A set of many networks; a query costs one look-up for each prefix length that occurs. */
final class NetworkSet {
  private final Set<Network> networks = new HashSet<>();
  private final Set<Integer> prefixLengths = new HashSet<>();

  NetworkSet(List<Network> networks) {
    networks.forEach(this::add);
  }

  /**
   * @throws IOException with one sentence that names the place when an entry is no network
   */
  static NetworkSet parse(List<ListEntry> entries) throws IOException {
    NetworkSet set = new NetworkSet(List.of());
    for (ListEntry entry : entries) {
      try {
        set.add(Network.parse(entry.text()));
      } catch (IllegalArgumentException e) {
        throw new IOException(entry.place() + ": " + e.getMessage(), e);
      }
    }
    return set;
  }

  boolean contains(InetAddress address) {
    for (int prefixLength : prefixLengths) {
      if (networks.contains(Network.containing(address, prefixLength))) return true;
    }
    return false;
  }

  private void add(Network network) {
    networks.add(Network.containing(network.base(), network.prefixLength()));
    prefixLengths.add(network.prefixLength());
  }
}
