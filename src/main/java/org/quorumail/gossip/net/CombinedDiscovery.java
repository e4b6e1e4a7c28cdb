package org.quorumail.gossip.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Several ways at once; one that fails does not keep the others from finding. */
public record CombinedDiscovery(List<NodeDiscovery> ways) implements NodeDiscovery {
  public CombinedDiscovery {
    ways = List.copyOf(ways);
  }

  @Override
  public List<InetSocketAddress> find() throws IOException, InterruptedException {
    Set<InetSocketAddress> found = new LinkedHashSet<>();
    IOException failure = null;
    for (NodeDiscovery way : ways) {
      try {
        found.addAll(way.find());
      } catch (IOException e) {
        failure = first(failure, e);
      }
    }
    if (found.isEmpty() && failure != null) throw failure;
    return List.copyOf(found);
  }

  private static IOException first(@Nullable IOException earlier, IOException now) {
    return earlier == null ? now : earlier;
  }

  @Override
  public void use(KeyRing ring) {
    ways.forEach(way -> way.use(ring));
  }

  @Override
  public void close() {
    ways.forEach(NodeDiscovery::close);
  }
}
