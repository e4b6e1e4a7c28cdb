package org.quorumail.gossip.driver;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.quorumail.config.HostPort;
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
 * How one node takes part. {@link #of} has what a node cannot do without; the withers change the
 * rest.
 *
 * @param nodeId 1 to 64 letters, digits, '.', '-', '_'; unique in the cluster
 * @param bind where UDP, and TCP unless the carrier is QUIC, listen
 * @param advertised the address at which the others reach this node
 * @param peersFile where the addresses of the members are kept; empty: nowhere
 * @param zoneOf reads a member's zone out of its metadata; broadcast trees span zones with few
 *     links
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

  /** Where gossip listens unless it is told otherwise; memberlist's. */
  public static final int DEFAULT_PORT = 7946;

  /**
   * @throws IllegalArgumentException when the id is none, or the metadata are more than 64 KiB
   */
  public GossipSettings {
    nodeId = new NodeId(nodeId).value();
    metadata = NodeMetadata.of(metadata).bytes();
    discoveries = List.copyOf(discoveries);
  }

  /**
   * A node of one data centre.
   *
   * @param host name or address: listens there, and the others call it there
   * @param port UDP and TCP
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
          host + " is no address that others can call; name this node's own, and see withBind");
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

  /** Calls these nodes at the start, as {@code host:port}. */
  public GossipSettings withSeeds(String... seeds) {
    return withDiscovery(staticDiscovery(List.of(seeds)));
  }

  /**
   * @param seeds as {@code host:port}
   */
  static StaticDiscovery staticDiscovery(List<String> seeds) {
    return new StaticDiscovery(
        seeds.stream().map(seed -> HostPort.parse(seed, DEFAULT_PORT)).toList());
  }

  /** Listens there; what the others call stays the host of {@link #of}. */
  public GossipSettings withBind(InetSocketAddress other) {
    return with(draft -> draft.bind = other);
  }

  /** Other keys, such as those of another cluster name. */
  public GossipSettings withKeys(KeyRing other) {
    return with(draft -> draft.keys = other);
  }

  /** Another carrier; the same on all nodes. */
  public GossipSettings withTransport(TransportSettings other) {
    return with(draft -> draft.transport = other);
  }

  /** Other times of failure detection. */
  public GossipSettings withSwim(SwimConfig other) {
    return with(draft -> draft.swim = other);
  }

  /** Another configuration of broadcasts. */
  public GossipSettings withPlumtree(PlumtreeConfig other) {
    return with(draft -> draft.plumtree = other);
  }

  /**
   * What the others learn of this node, see {@link Gossip#updateMetadata}, and where it has the
   * zone.
   */
  public GossipSettings withMetadata(byte[] other, Function<byte[], String> zone) {
    return with(
        draft -> {
          draft.metadata = other;
          draft.zoneOf = zone;
        });
  }

  /** Keeps the addresses of the members there, to find them again without seeds. */
  public GossipSettings withPeersFile(Path file) {
    return with(draft -> draft.peersFile = Optional.of(file));
  }

  /** Looks for others in these ways, all at once. */
  public GossipSettings withDiscovery(NodeDiscovery... ways) {
    return with(draft -> draft.discoveries = List.of(ways));
  }

  /** Membership's times, with what the bridge says of those that are gone. */
  SwimConfig effectiveSwim() {
    BridgeConfig bridge = plumtree.bridge();
    return swim.withLazarusInterval(
        bridge.lazarusEnabled() ? (int) bridge.lazarusInterval().toMillis() : 0);
  }

  InetAddress bindAddress() {
    return bind.getAddress();
  }

  private GossipSettings with(Consumer<Builder> change) {
    Builder draft = new Builder(this);
    change.accept(draft);
    return draft.build();
  }

  /** What can be chosen, while it is being changed. */
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
