package org.quorumail.policy.checks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.quorumail.config.Network;

/** Many networks; a question costs one look-up for each prefix length that occurs. */
final class NetworkSet {
  private final Map<Integer, Set<InetAddress>> byPrefix = new HashMap<>();

  /**
   * @throws IOException with one sentence that names the key when an entry is no network
   */
  NetworkSet(String key, List<String> entries) throws IOException {
    for (String entry : entries) {
      try {
        add(Network.parse(entry));
      } catch (IllegalArgumentException e) {
        throw new IOException(key + ": " + e.getMessage(), e);
      }
    }
  }

  NetworkSet(List<Network> networks) {
    networks.forEach(this::add);
  }

  boolean contains(InetAddress address) {
    for (Map.Entry<Integer, Set<InetAddress>> e : byPrefix.entrySet()) {
      if (e.getValue().contains(networkAddress(address, e.getKey()))) return true;
    }
    return false;
  }

  /** The first address of the network of this length that an address is in. */
  static InetAddress networkAddress(InetAddress address, int prefixLength) {
    byte[] octets = address.getAddress();
    for (int i = 0; i < octets.length; i++) {
      int kept = Math.clamp(prefixLength - i * 8L, 0, 8);
      octets[i] &= (byte) (0xFF << (8 - kept));
    }
    try {
      return InetAddress.getByAddress(octets);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("the length of an address does not change", e);
    }
  }

  private void add(Network network) {
    byPrefix
        .computeIfAbsent(network.prefixLength(), length -> new HashSet<>())
        .add(networkAddress(network.base(), network.prefixLength()));
  }
}
