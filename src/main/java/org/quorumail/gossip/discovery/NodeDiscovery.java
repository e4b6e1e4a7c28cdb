package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import org.quorumail.gossip.transport.KeyRing;

/**
 * Where other nodes may be found. An own implementation with a public constructor without
 * parameters, named in {@code META-INF/services/org.quorumail.gossip.discovery.NodeDiscovery}, is
 * used with {@code cluster.discovery = "custom"}.
 *
 * <p>What is found is only called, never believed: a node there still has to prove the secret. This
 * node's own address among them is harmless.
 */
public interface NodeDiscovery extends AutoCloseable {
  /** More than any real list of seeds; an endless answer must not become endless work. */
  int MAX_FOUND = 1_024;

  /**
   * The addresses to call now, resolved anew each time. Called by one thread at a time, every
   * second before the first other node is met and now and then later; may take some seconds.
   *
   * @return possibly none yet: it will be asked again
   * @throws IOException when nothing could be asked; logged, and asked again
   */
  List<InetSocketAddress> find() throws IOException, InterruptedException;

  /** For a discovery that seals what it says: the keys from now on. */
  default void replaceKeys(KeyRing ring) {}

  @Override
  default void close() {}

  /** The one that the class path provides; empty when there is none. */
  static Optional<NodeDiscovery> loadCustom() {
    return ServiceLoader.load(NodeDiscovery.class).findFirst();
  }
}
