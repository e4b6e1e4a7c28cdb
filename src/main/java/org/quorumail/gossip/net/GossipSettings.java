package org.quorumail.gossip.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import javax.net.ssl.KeyManager;
import javax.net.ssl.TrustManager;
import org.quorumail.config.HostPort;
import org.quorumail.gossip.PlumtreeConfig;
import org.quorumail.gossip.SwimConfig;

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
    Carrier carrier,
    SwimConfig swim,
    PlumtreeConfig plumtree,
    byte[] metadata,
    NodeDiscovery discovery,
    Optional<Path> peersFile,
    Function<byte[], String> zoneOf) {

  /** What carries the messages between nodes; the same on all of them. */
  public sealed interface Carrier {
    /** UDP and TCP on one port, sealed with the keys of the ring. */
    record SealedUdp() implements Carrier {}

    /**
     * QUIC with mutual TLS; the ring then only tells clusters apart.
     *
     * @param key shows this node's certificate
     * @param trust decides which certificates are members'; both are asked at each handshake
     * @param names the ids of nodes that a certificate speaks for
     */
    record Quic(KeyManager key, TrustManager trust, Function<X509Certificate, Set<String>> names)
        implements Carrier {
      /** Why this platform has no QUIC, in a sentence; empty when it has. */
      public static Optional<String> missing() {
        if (io.netty.handler.codec.quic.Quic.isAvailable()) return Optional.empty();
        return Optional.of(
            "QUIC's native library does not load: either there is none for %s on %s here, or nothing may be run from %s; use udp"
                .formatted(
                    System.getProperty("os.name"),
                    System.getProperty("os.arch"),
                    System.getProperty("java.io.tmpdir")));
      }
    }
  }

  /**
   * A node of one data centre.
   *
   * @param port UDP and TCP, on all addresses
   * @param secret at least 32 random bytes, the same on all nodes
   */
  public static GossipSettings of(String nodeId, String host, int port, byte[] secret) {
    InetSocketAddress here = new InetSocketAddress(host, port);
    return new GossipSettings(
        nodeId,
        here,
        here,
        KeyRing.of("quorumail", secret, List.of()),
        new Carrier.SealedUdp(),
        SwimConfig.lan(),
        PlumtreeConfig.lan(),
        new byte[0],
        new StaticDiscovery(List.of()),
        Optional.empty(),
        metadata -> "");
  }

  /** Calls these nodes at the start, as {@code host:port}. */
  public GossipSettings withSeeds(String... seeds) {
    List<HostPort> parsed =
        java.util.Arrays.stream(seeds).map(seed -> HostPort.parse(seed, 7946)).toList();
    return withDiscovery(new StaticDiscovery(parsed));
  }

  public GossipSettings withDiscovery(NodeDiscovery other) {
    return new GossipSettings(
        nodeId,
        bind,
        advertised,
        keys,
        carrier,
        swim,
        plumtree,
        metadata,
        other,
        peersFile,
        zoneOf);
  }

  public GossipSettings withPlumtree(PlumtreeConfig other) {
    return new GossipSettings(
        nodeId,
        bind,
        advertised,
        keys,
        carrier,
        swim,
        other,
        metadata,
        discovery,
        peersFile,
        zoneOf);
  }

  public GossipSettings withCarrier(Carrier other) {
    return new GossipSettings(
        nodeId,
        bind,
        advertised,
        keys,
        other,
        swim,
        plumtree,
        metadata,
        discovery,
        peersFile,
        zoneOf);
  }

  InetAddress bindAddress() {
    return bind.getAddress();
  }
}
