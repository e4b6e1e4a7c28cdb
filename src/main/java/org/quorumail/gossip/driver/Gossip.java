package org.quorumail.gossip.driver;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.discovery.DiscoveryPoller;
import org.quorumail.gossip.discovery.NodeDiscovery;
import org.quorumail.gossip.discovery.PeerFile;
import org.quorumail.gossip.discovery.StaticDiscovery;
import org.quorumail.gossip.plumtree.BroadcastHealth;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.transport.Compression;
import org.quorumail.gossip.transport.DropReason;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.QuicTransport;
import org.quorumail.gossip.transport.SealedTransport;
import org.quorumail.gossip.transport.SocketAddresses;
import org.quorumail.gossip.transport.Transport;
import org.quorumail.gossip.transport.TransportSettings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node of a gossip cluster: membership and broadcasts as a library, which knows nothing of
 * mail.
 *
 * <pre>
 * var gossip = Gossip.start(GossipSettings.of("a", "127.0.0.1", 7946, secret), delegate);
 * gossip.join("10.0.0.2:7946");
 * gossip.broadcast(bytes);
 * gossip.leave(Duration.ofSeconds(3));
 * gossip.shutdown();
 * </pre>
 *
 * Thread-safe. Threads: {@link GossipLoop}'s, the transport's, the delegate's, and one that polls
 * the discovery.
 */
public final class Gossip implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Gossip.class);

  /** The limit for a query of the gossip thread, which takes milliseconds. */
  private static final Duration QUERY_TIMEOUT = Duration.ofSeconds(2);

  /** The interval of discovery before the first other member is found. */
  private static final Duration DISCOVERY_INTERVAL_ALONE = Duration.ofSeconds(1);

  /** The interval of discovery afterwards. */
  private static final Duration DISCOVERY_INTERVAL_JOINED = Duration.ofSeconds(10);

  private final GossipSettings settings;
  private final MemberDirectory members;
  private final DelegateDispatcher delegate;
  private final DiscoveryPoller discoveries;
  private final Transport transport;
  private final GossipLoop loop;
  private final Thread discoveryThread;
  private final Set<InetSocketAddress> joinSeeds = new LinkedHashSet<>();
  private volatile List<NodeAddress> lastSeeds = List.of();
  private volatile boolean closed;

  private Gossip(
      GossipSettings settings,
      MemberDirectory members,
      DelegateDispatcher delegate,
      DiscoveryPoller discoveries,
      GossipLoop loop) {
    this.settings = settings;
    this.members = members;
    this.delegate = delegate;
    this.discoveries = discoveries;
    this.loop = loop;
    this.transport = loop.transport();
    this.discoveryThread =
        Thread.ofVirtual().name("gossip-discovery").unstarted(this::discoveryLoop);
  }

  /**
   * Binds the sockets, starts the threads, and joins the nodes that the settings' discovery finds.
   *
   * @throws IOException when the port is taken
   */
  public static Gossip start(GossipSettings settings, GossipDelegate delegate) throws IOException {
    return start(settings, delegate, new SimpleMeterRegistry());
  }

  /** As above, with metrics in this registry. */
  public static Gossip start(GossipSettings settings, GossipDelegate delegate, MeterRegistry meters)
      throws IOException {
    GossipMetrics metrics = new GossipMetrics(meters, settings.plumtree().enableMetrics());
    MemberDirectory members = new MemberDirectory();
    metrics.registerMemberGauge(members);
    DelegateDispatcher dispatcher =
        new DelegateDispatcher(delegate, () -> metrics.countDropped(DropReason.DELEGATE_FULL));
    List<NodeDiscovery> sources = new ArrayList<>(settings.discoveries());
    sources.add(StaticDiscovery.of(settings.plumtree().bridge().staticSeeds()));
    DiscoveryPoller discoveries = new DiscoveryPoller(sources);
    GossipLoop loop =
        GossipLoop.open(settings, members, metrics, dispatcher, r -> bind(settings, r, metrics));
    Gossip gossip = new Gossip(settings, members, dispatcher, discoveries, loop);
    gossip.delegate.start();
    gossip.loop.start();
    gossip.discoveryThread.start();
    return gossip;
  }

  private static Transport bind(
      GossipSettings settings, Transport.Receiver receiver, GossipMetrics metrics)
      throws IOException {
    Compression compression = new Compression(settings.plumtree().compression(), metrics);
    return switch (settings.transport()) {
      case TransportSettings.SealedUdp udp ->
          SealedTransport.bind(
              settings.keys(),
              settings.nodeId(),
              compression,
              settings.bindAddress(),
              settings.bind().getPort(),
              receiver);
      case TransportSettings.Quic quic ->
          QuicTransport.bind(
              settings.keys(),
              quic,
              compression,
              settings.bind(),
              settings.advertised().getAddress(),
              receiver,
              metrics);
    };
  }

  /**
   * Joins these nodes too, as {@code host:port}; retries until they answer, and returns at once.
   */
  public void join(String... seeds) throws IOException {
    List<InetSocketAddress> found = StaticDiscovery.of(List.of(seeds)).find();
    synchronized (joinSeeds) {
      joinSeeds.addAll(found);
    }
    joinAll(List.of());
  }

  /**
   * Broadcasts to all other members; each delivers the payload exactly once.
   *
   * @return accepted, or rejected because this node is overloaded or closed
   */
  public BroadcastResult broadcast(byte[] payload) {
    Objects.requireNonNull(payload);
    if (closed) return new BroadcastResult.Rejected(BroadcastResult.Refusal.SHUT_DOWN);
    BroadcastResult busy = new BroadcastResult.Rejected(BroadcastResult.Refusal.QUEUE_FULL);
    return query(() -> loop.broadcast(payload), busy);
  }

  /** Broadcasts the latest value of a key with the next tick; earlier values are not sent. */
  public boolean coalesce(String key, byte[] value) {
    Objects.requireNonNull(key);
    Objects.requireNonNull(value);
    return query(() -> loop.coalesce(key, value), false);
  }

  /** The number of other members that are alive or suspect. */
  public int peerCount() {
    return members.memberCount();
  }

  /** The members to which this node keeps connections for broadcasts. */
  public Set<NodeId> neighbours() {
    return query(loop::neighbours, Set.of());
  }

  /**
   * The seeds, when each of them was reached and none has proven the secret: the secrets differ.
   * Empty while a seed does not answer, and once another member is found.
   */
  public List<String> unauthenticatedSeeds() {
    NodeAddress self = SocketAddresses.toNodeAddress(settings.advertised());
    List<NodeAddress> others = lastSeeds.stream().filter(seed -> !seed.equals(self)).toList();
    if (peerCount() > 0 || !others.stream().allMatch(members::isUnauthenticated)) return List.of();
    return others.stream().map(NodeAddress::toString).toList();
  }

  /** All remembered other nodes, including dead ones and those that left. */
  public List<GossipMember> members() {
    return members.members();
  }

  /** The current health of broadcasting. */
  public BroadcastHealth health() {
    CompletableFuture<BroadcastHealth> answer = new CompletableFuture<>();
    if (!loop.submit(() -> answer.complete(loop.health()))) {
      throw new IllegalStateException("gossip is closed or overloaded");
    }
    try {
      return answer.get(QUERY_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the gossip thread did not answer", e);
    }
  }

  /**
   * Publishes new metadata of this node. Up to 512 bytes travel in the membership update; members
   * fetch longer metadata.
   *
   * @return false when this node is overloaded or closed; then nothing is published
   * @throws IllegalArgumentException when the metadata have more than 64 KiB
   */
  public boolean updateMetadata(byte[] metadata) {
    NodeMetadata meta = NodeMetadata.of(metadata);
    boolean accepted = loop.submit(() -> loop.updateMetadata(meta));
    if (!accepted) LOG.warn("event=gossip_overloaded request=metadata");
    return accepted;
  }

  /** Replaces the keys; open streams keep theirs. See {@link KeyRing} for a rotation. */
  public void replaceKeys(KeyRing ring) {
    transport.replaceKeys(ring);
    discoveries.replaceKeys(ring);
  }

  /** The bound port, which the settings may leave open as 0. */
  public int port() {
    return transport.port();
  }

  /**
   * Leaves the cluster gracefully. The node accepts no more broadcasts, and waits at most half of
   * the timeout until earlier ones are acknowledged. Then it notifies the members and waits for
   * their acknowledgements.
   *
   * @return the number of members that have acknowledged in time
   */
  public int leave(Duration timeout) throws InterruptedException {
    CompletableFuture<Integer> acknowledged = new CompletableFuture<>();
    discoveryThread.interrupt();
    if (!loop.submit(() -> loop.leave(timeout.dividedBy(2), acknowledged::complete))) return 0;
    try {
      return acknowledged.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return 0; // no member, or a slow one, which will detect the end by probing
    }
  }

  /** Stops at once, without notifying the members. */
  public void shutdown() {
    closed = true;
    discoveryThread.interrupt();
    loop.stop();
    transport.close();
    delegate.close();
    discoveries.close();
  }

  @Override
  public void close() {
    shutdown();
  }

  /** Runs the query in the gossip thread; the fallback stands for an overloaded or closed one. */
  private <T> T query(Supplier<T> query, T fallback) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    if (!loop.submit(() -> answer.complete(query.get()))) return fallback;
    try {
      return answer.get(QUERY_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return fallback;
    } catch (ExecutionException | TimeoutException e) {
      return fallback;
    }
  }

  // ---- discovery

  private void discoveryLoop() {
    PeerFile file = peersFile().map(PeerFile::new).orElse(null);
    List<InetSocketAddress> previous = file == null ? List.of() : file.read();
    try {
      while (!closed) {
        List<InetSocketAddress> found = new ArrayList<>(discoveries.find());
        found.addAll(previous);
        joinAll(found);
        if (file != null && peerCount() > 0) file.write(members.rejoinAddresses());
        Thread.sleep(peerCount() == 0 ? DISCOVERY_INTERVAL_ALONE : DISCOVERY_INTERVAL_JOINED);
      }
    } catch (InterruptedException e) {
      LOG.debug("event=gossip_discovery_stopped");
    }
  }

  private Optional<Path> peersFile() {
    return settings.plumtree().bridge().persistencePath().map(Path::of).or(settings::peersFile);
  }

  private void joinAll(Collection<InetSocketAddress> found) {
    Set<InetSocketAddress> all = new LinkedHashSet<>(found);
    synchronized (joinSeeds) {
      all.addAll(joinSeeds);
    }
    List<NodeAddress> seeds =
        all.stream()
            .filter(seed -> seed.getAddress() != null && seed.getPort() != 0)
            .limit(NodeDiscovery.MAX_FOUND)
            .map(SocketAddresses::toNodeAddress)
            .toList();
    lastSeeds = seeds;
    if (!loop.submit(() -> loop.join(seeds))) LOG.debug("event=gossip_overloaded request=join");
  }
}
