package org.quorumail.gossip.driver;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.discovery.NodeDiscovery;
import org.quorumail.gossip.discovery.StaticDiscovery;
import org.quorumail.gossip.plumtree.BridgeConfig;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.SwimConfig;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.TransportSettings;

/**
 * The settings of one gossip node. {@link #of} takes the required ones; the {@code with…} methods
 * change the others.
 *
 * @param nodeId 1 to 64 letters, digits, '.', '-', '_'; unique in the cluster
 * @param bind the address and port of UDP, and of TCP unless the transport is QUIC
 * @param advertised the address at which the others reach this node
 * @param peersFile the file of the members' addresses; empty for none
 * @param zoneOf reads a member's zone from its metadata; broadcast trees link zones by few links
 */
public record GossipSettings(
    String nodeId,
    InetSocketAddress bind,
    InetSocketAddress advertised,
    KeyRing keys,
    TransportSettings transport,
    SwimConfig swim,
    PlumtreeConfig plumtree,
    byte[] metadata,
    List<NodeDiscovery> discoveries,
    Optional<Path> peersFile,
    Function<byte[], String> zoneOf) {
  private static final int MIN_SECRET_BYTES = 32;

  /**
   * @throws IllegalArgumentException when the id is malformed, or the metadata exceed 64 KiB
   */
  public GossipSettings {
    nodeId = new NodeId(nodeId).value();
    metadata = NodeMetadata.of(metadata).bytes();
    discoveries = List.copyOf(discoveries);
  }

  /**
   * The settings of a node in one data centre.
   *
   * @param host the name or address to listen on, which the other nodes call too
   * @param port the port of UDP and TCP
   * @param secret at least 32 random bytes, the same on all nodes
   * @throws IllegalArgumentException when the secret is shorter, or the host has no address
   */
  public static GossipSettings of(String nodeId, String host, int port, byte[] secret) {
    if (secret.length < MIN_SECRET_BYTES) {
      throw new IllegalArgumentException("a secret has at least " + MIN_SECRET_BYTES + " bytes");
    }
    InetSocketAddress here = new InetSocketAddress(host, port);
    if (here.isUnresolved()) throw new IllegalArgumentException("no address is known for " + host);
    if (here.getAddress().isAnyLocalAddress()) {
      throw new IllegalArgumentException(
          host + " is not reachable from other nodes; use this node's own address, and withBind");
    }
    return new GossipSettings(
        nodeId,
        here,
        here,
        KeyRing.of("quorumail", secret, List.of()),
        new TransportSettings.SealedUdp(),
        SwimConfig.lan(),
        PlumtreeConfig.lan(),
        new byte[0],
        List.of(),
        Optional.empty(),
        metadata -> "");
  }

  /** Joins these nodes at the start, as {@code host:port}. */
  public GossipSettings withSeeds(String... seeds) {
    return withDiscovery(StaticDiscovery.of(List.of(seeds)));
  }

  /** Listens on another address; the other nodes still call the host of {@link #of}. */
  public GossipSettings withBind(InetSocketAddress other) {
    return with(b -> b.bind = other);
  }

  /** Uses other keys, such as those of another cluster name. */
  public GossipSettings withKeys(KeyRing other) {
    return with(b -> b.keys = other);
  }

  /** Uses another transport, the same on all nodes. */
  public GossipSettings withTransport(TransportSettings other) {
    return with(b -> b.transport = other);
  }

  /** Uses other intervals and timeouts of failure detection. */
  public GossipSettings withSwim(SwimConfig other) {
    return with(b -> b.swim = other);
  }

  /** Uses another configuration of broadcasts. */
  public GossipSettings withPlumtree(PlumtreeConfig other) {
    return with(b -> b.plumtree = other);
  }

  /**
   * Publishes metadata of this node, see {@link Gossip#updateMetadata}.
   *
   * @param zone reads a member's zone from its metadata
   */
  public GossipSettings withMetadata(byte[] other, Function<byte[], String> zone) {
    return with(
        b -> {
          b.metadata = other;
          b.zoneOf = zone;
        });
  }

  /** Keeps the members' addresses in this file, so that a restart does not depend on seeds. */
  public GossipSettings withPeersFile(Path file) {
    return with(b -> b.peersFile = Optional.of(file));
  }

  /** Polls these sources for other nodes, all at once. */
  public GossipSettings withDiscovery(NodeDiscovery... sources) {
    return with(b -> b.discoveries = List.of(sources));
  }

  /** The membership settings, with the probing of dead members that the bridge configures. */
  SwimConfig effectiveSwim() {
    BridgeConfig bridge = plumtree.bridge();
    return swim.withLazarusInterval(
        bridge.lazarusEnabled() ? (int) bridge.lazarusInterval().toMillis() : 0);
  }

  InetAddress bindAddress() {
    return bind.getAddress();
  }

  private GossipSettings with(Consumer<Builder> change) {
    Builder builder = new Builder(this);
    change.accept(builder);
    return builder.build();
  }

  /** A mutable copy of the settings that can change. */
  private static final class Builder {
    private final GossipSettings before;
    private InetSocketAddress bind;
    private KeyRing keys;
    private TransportSettings transport;
    private SwimConfig swim;
    private PlumtreeConfig plumtree;
    private byte[] metadata;
    private List<NodeDiscovery> discoveries;
    private Optional<Path> peersFile;
    private Function<byte[], String> zoneOf;

    Builder(GossipSettings s) {
      before = s;
      bind = s.bind;
      keys = s.keys;
      transport = s.transport;
      swim = s.swim;
      plumtree = s.plumtree;
      metadata = s.metadata;
      discoveries = s.discoveries;
      peersFile = s.peersFile;
      zoneOf = s.zoneOf;
    }

    GossipSettings build() {
      return new GossipSettings(
          before.nodeId,
          bind,
          before.advertised,
          keys,
          transport,
          swim,
          plumtree,
          metadata,
          discoveries,
          peersFile,
          zoneOf);
    }
  }
}
