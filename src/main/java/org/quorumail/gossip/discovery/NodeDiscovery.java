package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import org.quorumail.gossip.transport.KeyRing;

/**
 * A source of addresses of other nodes. A custom implementation has a public constructor without
 * parameters and is named in {@code
 * META-INF/services/org.quorumail.gossip.discovery.NodeDiscovery}.
 *
 * <p>A found address is only called, never trusted: the node there must still prove the secret. The
 * node's own address among the found ones is harmless.
 */
public interface NodeDiscovery extends AutoCloseable {
  /** More than any real list of seeds; bounds the work for an endless answer. */
  int MAX_FOUND = 1_024;

  /**
   * Finds the addresses to call now, resolved at each call. One thread at a time calls it: every
   * second until the first other node is found, then every ten seconds. It may take some seconds.
   *
   * @return possibly none; the next call may find more
   * @throws IOException when the source cannot be asked; the failure is logged and the call
   *     repeated
   */
  List<InetSocketAddress> find() throws IOException, InterruptedException;

  /** Replaces the keys of a source that seals its messages. */
  default void replaceKeys(KeyRing ring) {}

  @Override
  default void close() {}

  /** The custom implementation on the class path; empty when there is none. */
  static Optional<NodeDiscovery> loadCustom() {
    return ServiceLoader.load(NodeDiscovery.class).findFirst();
  }
}
