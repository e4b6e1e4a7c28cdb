package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.config.HostPort;

/** A fixed list of names and addresses. Names are resolved each time: a pod's address changes. */
public record StaticDiscovery(List<HostPort> seeds) implements NodeDiscovery {
  public StaticDiscovery {
    seeds = List.copyOf(seeds);
  }

  @Override
  public List<InetSocketAddress> find() throws IOException {
    List<InetSocketAddress> found = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    for (HostPort seed : seeds) {
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
