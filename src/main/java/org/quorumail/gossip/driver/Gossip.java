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
import org.quorumail.gossip.plumtree.BroadcastHealth;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.transport.Compression;
import org.quorumail.gossip.transport.DropReason;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.QuicTransport;
import org.quorumail.gossip.transport.SealedTransport;
import org.quorumail.gossip.transport.Transport;
import org.quorumail.gossip.transport.TransportSettings;
import org.quorumail.gossip.transport.UdpSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's part in a gossiping cluster: who is there, and telling everyone. A library of its own;
 * knows nothing of mail.
 *
 * <pre>
 * var gossip = Gossip.start(GossipSettings.of("a", "127.0.0.1", 7946, secret), delegate);
 * gossip.join("10.0.0.2:7946");
 * gossip.broadcast(bytes);
 * gossip.leave(Duration.ofSeconds(3));
 * gossip.shutdown();
 * </pre>
 *
 * Thread-safe. Threads: {@link GossipLoop}'s, the transport's, the delegate's, and one that asks
 * the discovery.
 */
public final class Gossip implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Gossip.class);

  /** For the gossip thread to take a question; it takes milliseconds. */
  private static final Duration QUERY_TIMEOUT = Duration.ofSeconds(2);

  /** How often others are looked for before the first is found, and after. */
  private static final Duration DISCOVERY_INTERVAL_ALONE = Duration.ofSeconds(1);

  private static final Duration DISCOVERY_INTERVAL_JOINED = Duration.ofSeconds(10);

  private final GossipSettings settings;
  private final MemberDirectory members = new MemberDirectory();
  private final DelegateDispatcher delegate;
  private final DiscoveryPoller discoveries;
  private final Transport transport;
  private final GossipLoop loop;
  private final Thread discoveryThread;
  private final Set<InetSocketAddress> joinSeeds = new LinkedHashSet<>();
  private volatile List<NodeAddress> lastSeeds = List.of();
  private volatile boolean closed;

  private Gossip(GossipSettings settings, GossipDelegate told, MeterRegistry meters)
      throws IOException {
    this.settings = settings;
    GossipMetrics metrics = new GossipMetrics(meters, settings.plumtree().enableMetrics());
    metrics.registerMemberGauge(members);
    this.delegate =
        new DelegateDispatcher(told, () -> metrics.countDropped(DropReason.DELEGATE_FULL));
    List<NodeDiscovery> ways = new ArrayList<>(settings.discoveries());
    ways.add(GossipSettings.staticDiscovery(settings.plumtree().bridge().staticSeeds()));
    this.discoveries = new DiscoveryPoller(ways);
    this.loop = new GossipLoop(settings, members, metrics, delegate, r -> bind(r, metrics));
    this.transport = loop.transport();
    this.discoveryThread =
        Thread.ofVirtual().name("gossip-discovery").unstarted(this::discoveryLoop);
  }

  private Transport bind(Transport.Receiver receiver, GossipMetrics metrics) throws IOException {
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
   * Listens, and calls whom the settings' discovery finds.
   *
   * @throws IOException when the port is taken
   */
  public static Gossip start(GossipSettings settings, GossipDelegate delegate) throws IOException {
    return start(settings, delegate, new SimpleMeterRegistry());
  }

  /** As above, counting in this registry. */
  public static Gossip start(GossipSettings settings, GossipDelegate delegate, MeterRegistry meters)
      throws IOException {
    Gossip gossip = new Gossip(settings, delegate, meters);
    gossip.delegate.start();
    gossip.loop.start();
    gossip.discoveryThread.start();
    return gossip;
  }

  /** Calls these nodes too, as {@code host:port}, until they answer; returns at once. */
  public void join(String... seeds) throws IOException {
    List<InetSocketAddress> found = GossipSettings.staticDiscovery(List.of(seeds)).find();
    synchronized (joinSeeds) {
      joinSeeds.addAll(found);
    }
    joinAll(List.of());
  }

  /**
   * Sends to all members; each delivers it exactly once. This node is not told.
   *
   * @return whether it was taken; rejected when this node has more to do than it can
   */
  public BroadcastResult broadcast(byte[] payload) {
    Objects.requireNonNull(payload);
    if (closed) return new BroadcastResult.Rejected(BroadcastResult.Refusal.SHUT_DOWN);
    BroadcastResult busy = new BroadcastResult.Rejected(BroadcastResult.Refusal.QUEUE_FULL);
    return query(() -> loop.broadcast(payload), busy);
  }

  /** For a value of which only the last counts: it goes out with the next tick. */
  public boolean coalesce(String key, byte[] value) {
    Objects.requireNonNull(key);
    Objects.requireNonNull(value);
    return query(() -> loop.coalesce(key, value), false);
  }

  /** Members that are alive or suspect, this node not counted. */
  public int peerCount() {
    return members.memberCount();
  }

  /** The members to which this one keeps connections for broadcasts. */
  public Set<NodeId> neighbours() {
    return query(loop::neighbours, Set.of());
  }

  /**
   * The nodes that this one was to call, when all of them were reached and none has proven the
   * secret: the secrets differ. Empty as soon as somebody is met, and while somebody is silent.
   */
  public List<String> unauthenticatedSeeds() {
    NodeAddress self = UdpSocket.address(settings.advertised());
    List<NodeAddress> others = lastSeeds.stream().filter(seed -> !seed.equals(self)).toList();
    if (peerCount() > 0 || !others.stream().allMatch(members::isUnauthenticated)) return List.of();
    return others.stream().map(NodeAddress::toString).toList();
  }

  /** All others that are remembered, those that are dead or have left among them. */
  public List<GossipMember> members() {
    return members.members();
  }

  /** How broadcasting is doing, computed now. */
  public BroadcastHealth health() {
    CompletableFuture<BroadcastHealth> answer = new CompletableFuture<>();
    if (!loop.submit(() -> answer.complete(loop.health()))) {
      throw new IllegalStateException("gossip is closed, or has more to do than it can");
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
   * Publishes other metadata of this node; up to 512 bytes travel with the news of it, more is
   * fetched.
   *
   * @throws IllegalArgumentException when they are more than 64 KiB
   */
  public void updateMetadata(byte[] metadata) {
    NodeMetadata meta = NodeMetadata.of(metadata);
    if (!loop.submit(() -> loop.updateMetadata(meta))) {
      log.warn("gossip_busy what=metadata");
    }
  }

  /** The keys from now on; open streams go on. See {@link KeyRing} for a rotation. */
  public void replaceKeys(KeyRing ring) {
    transport.replaceKeys(ring);
    discoveries.replaceKeys(ring);
  }

  /** The port that is bound; of interest when 0 was asked for. */
  public int port() {
    return transport.port();
  }

  /**
   * Takes no more broadcasts, waits until those it took were acknowledged, for half of the patience
   * at most, then says good-bye and waits until that was heard.
   *
   * @return how many members have acknowledged it in time
   */
  public int leave(Duration patience) throws InterruptedException {
    CompletableFuture<Integer> heard = new CompletableFuture<>();
    discoveryThread.interrupt();
    if (!loop.submit(() -> loop.leave(patience.dividedBy(2), heard::complete))) return 0;
    try {
      return heard.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return 0; // nobody there, or too slow; they will notice by themselves
    }
  }

  /** Ends it at once, without a word. */
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

  private <T> T query(Supplier<T> question, T otherwise) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    if (!loop.submit(() -> answer.complete(question.get()))) return otherwise;
    try {
      return answer.get(QUERY_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return otherwise;
    } catch (ExecutionException | TimeoutException e) {
      return otherwise;
    }
  }

  // ---- looking for others

  private void discoveryLoop() {
    PeerFile file = peersFile().map(PeerFile::new).orElse(null);
    List<InetSocketAddress> stored = file == null ? List.of() : file.read();
    try {
      while (!closed) {
        List<InetSocketAddress> found = new ArrayList<>(discoveries.find());
        found.addAll(stored);
        joinAll(found);
        if (file != null && peerCount() > 0) file.write(members.rejoinAddresses());
        Thread.sleep(peerCount() == 0 ? DISCOVERY_INTERVAL_ALONE : DISCOVERY_INTERVAL_JOINED);
      }
    } catch (InterruptedException e) {
      log.debug("gossip_discovery_over");
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
            .map(UdpSocket::address)
            .toList();
    lastSeeds = seeds;
    if (!loop.submit(() -> loop.join(seeds))) log.debug("gossip_busy what=seeds");
  }
}
