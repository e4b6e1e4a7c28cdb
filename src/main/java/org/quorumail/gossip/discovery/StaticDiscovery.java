package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** A fixed list of hosts. Names are resolved on each call: a pod's address changes. */
public record StaticDiscovery(List<SeedAddress> seeds) implements NodeDiscovery {
  public StaticDiscovery {
    seeds = List.copyOf(seeds);
  }

  /**
   * A list of hosts in text form.
   *
   * @param seeds see {@link SeedAddress#parse}
   */
  public static StaticDiscovery of(List<String> seeds) {
    return new StaticDiscovery(seeds.stream().map(SeedAddress::parse).toList());
  }

  @Override
  public List<InetSocketAddress> find() throws IOException {
    List<InetSocketAddress> found = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    for (SeedAddress seed : seeds) {
      try {
        for (InetAddress address : InetAddress.getAllByName(seed.host())) {
          found.add(new InetSocketAddress(address, seed.port()));
        }
      } catch (UnknownHostException e) {
        unknown.add(seed.host());
      }
    }
    if (found.isEmpty() && !unknown.isEmpty()) {
      throw new UnknownHostException("no address is known for " + String.join(", ", unknown));
    }
    return found;
  }
}
