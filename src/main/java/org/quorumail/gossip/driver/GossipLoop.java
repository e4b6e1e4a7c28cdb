package org.quorumail.gossip.driver;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastHealth;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.plumtree.Plumtree;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.Swim;
import org.quorumail.gossip.swim.SwimConfig;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.DropReason;
import org.quorumail.gossip.transport.FrameBody;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.Transport;
import org.quorumail.gossip.transport.UdpSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that owns both cores: takes what arrives and what is asked, and hands it to {@link
 * SwimDriver} and {@link PlumtreeDriver}, which let the cores decide and carry out what they say.
 * Nothing else touches them.
 */
final class GossipLoop implements Transport.Receiver {
  private static final Logger log = LoggerFactory.getLogger(GossipLoop.class);

  /** A second of a node that many others talk to; beyond that a datagram is better dropped. */
  private static final int MAX_INPUTS = 8_192;

  /**
   * What they may hold together, unless it is one: some pages of a view of 10,000 members. A member
   * gone bad sends messages that inflate to thousands of times their length.
   */
  private static final int MAX_INPUT_BYTES = 32 << 20;

  /** So that the cores' deadlines are looked at in between. */
  private static final int MAX_PER_TURN = 256;

  private static final long MAX_WAIT_MILLIS = 1_000;
  private static final long GAUGES_EVERY_MILLIS = 5_000;

  private final ArrayBlockingQueue<Input> inputs = new ArrayBlockingQueue<>(MAX_INPUTS);
  private final AtomicLong inputBytes = new AtomicLong();
  private final PauseDetector pauseDetector = new PauseDetector();
  private final MemberDirectory members;
  private final GossipMetrics metrics;
  private final SwimDriver membership;
  private final PlumtreeDriver broadcasts;
  private final DatagramBatcher outbox;
  private final Transport transport;
  private final long origin = System.nanoTime();
  private final Thread thread;
  private final DropWarnings dropWarnings = new DropWarnings();
  private volatile boolean stopping;
  private @Nullable Consumer<Integer> onLeft;
  private long leaveDeadline;
  private boolean wasDegraded;
  private long nextGaugesAt;

  private sealed interface Input {
    record ReceivedMessage(NodeAddress from, byte[] message, boolean reliable) implements Input {}

    record UnreachablePeer(PeerAddress peer) implements Input {}

    /** Something that another thread wants of the cores. */
    record Task(Runnable action) implements Input {}
  }

  /** What connects the loop with the network; asked once, at the start. */
  interface TransportFactory {
    Transport bind(Transport.Receiver receiver) throws IOException;
  }

  GossipLoop(
      GossipSettings settings,
      MemberDirectory book,
      GossipMetrics metrics,
      DelegateDispatcher delegate,
      TransportFactory wiring)
      throws IOException {
    this.members = book;
    this.metrics = metrics;
    this.transport = wiring.bind(this);
    this.outbox = new DatagramBatcher(transport);
    // a restarted node outbids its former life at once; a clock that went back costs one refutation
    long incarnation = System.currentTimeMillis();
    this.broadcasts = broadcasts(settings, incarnation, delegate);
    this.membership = membership(settings, incarnation, delegate);
    this.thread = Thread.ofPlatform().name("gossip").daemon().unstarted(this::run);
  }

  private PlumtreeDriver broadcasts(
      GossipSettings settings, long incarnation, DelegateDispatcher delegate) {
    NodeId self = new NodeId(settings.nodeId());
    PlumtreeConfig config = settings.plumtree();
    String zone = settings.zoneOf().apply(settings.metadata());
    BroadcastFormat format = new BroadcastFormat(self, config.maxMessageSize());
    return new PlumtreeDriver(
        new Plumtree(self, zone, incarnation, config, new SplittableRandom(), metrics, 0),
        new NeighbourConnections(transport, outbox, members, format, config, metrics),
        format,
        members,
        metrics,
        delegate,
        settings.zoneOf(),
        config.bridge().logChanges());
  }

  private SwimDriver membership(
      GossipSettings settings, long incarnation, DelegateDispatcher delegate) {
    SwimConfig config =
        settings
            .effectiveSwim()
            .withPacketBytes(transport.datagramCapacity() - FrameBody.MESSAGE_OVERHEAD - 1);
    SwimMember node =
        new SwimMember(
            new NodeId(settings.nodeId()),
            address(settings.advertised(), transport.port()),
            incarnation,
            NodeMetadata.of(settings.metadata()));
    return new SwimDriver(
        new Swim(config, node, new SplittableRandom(), 0),
        broadcasts,
        members,
        metrics,
        delegate,
        transport,
        outbox);
  }

  /** Port 0 stands for the one that was bound. */
  private static NodeAddress address(InetSocketAddress advertised, int bound) {
    int port = advertised.getPort() == 0 ? bound : advertised.getPort();
    return UdpSocket.address(new InetSocketAddress(advertised.getAddress(), port));
  }

  void start() {
    thread.start();
  }

  Transport transport() {
    return transport;
  }

  void stop() {
    stopping = true;
    thread.interrupt();
  }

  /** False when there is more to do than can be done. */
  boolean submit(Runnable what) {
    return !stopping && inputs.offer(new Input.Task(what));
  }

  @Override
  public boolean onMessage(NodeAddress from, byte[] message, boolean reliable) {
    long before = inputBytes.getAndAdd(message.length);
    boolean fits = before == 0 || before + message.length <= MAX_INPUT_BYTES;
    boolean taken = fits && inputs.offer(new Input.ReceivedMessage(from, message, reliable));
    if (!taken) inputBytes.addAndGet(-message.length);
    return taken;
  }

  @Override
  public void onUnreachable(PeerAddress to) {
    if (!to.nodeId().isEmpty() && !inputs.offer(new Input.UnreachablePeer(to))) {
      metrics.countDropped(DropReason.QUEUE_FULL);
    }
  }

  @Override
  public void onAuthenticationFailed(PeerAddress by) {
    members.recordUnauthenticated(by.address());
  }

  @Override
  public void onDropped(DropReason reason) {
    metrics.countDropped(reason);
    dropWarnings.logIfDue(reason);
  }

  // ---- the thread

  private void run() {
    while (!stopping) {
      try {
        runOnce();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        log.error("gossip_failed", e); // a bug; the other members are still worth talking to
      }
    }
  }

  private void runOnce() throws InterruptedException {
    long before = System.nanoTime();
    long wait = waitMillis(Math.min(membership.nextDeadline(), broadcasts.nextDeadline()), now());
    Input input = inputs.poll(wait, TimeUnit.MILLISECONDS);
    recordDelay(before, Duration.ofMillis(wait));
    long working = System.nanoTime();
    for (int i = 0; input != null && i < MAX_PER_TURN; i++) {
      handle(input);
      input = i + 1 < MAX_PER_TURN ? inputs.poll() : null;
    }
    membership.tick(now());
    broadcasts.tick(now());
    leaveWhenDrained();
    outbox.flush();
    recordDelay(working, Duration.ZERO);
    if (now() >= nextGaugesAt) updateGauges();
  }

  /**
   * Until when to wait, of deadlines from the beginning of time ("at once") to its end ("never").
   */
  static long waitMillis(long deadline, long now) {
    return deadline <= now ? 0 : Math.min(deadline - now, MAX_WAIT_MILLIS);
  }

  /** Milliseconds since this loop was made. */
  private long now() {
    return (System.nanoTime() - origin) / 1_000_000;
  }

  private void recordDelay(long since, Duration meant) {
    long now = System.nanoTime();
    long late = now - since - meant.toNanos();
    if (pauseDetector.recordDelay(late, now)) {
      metrics.stalled(Duration.ofNanos(late));
      log.info("gossip_stalled millis={}", late / 1_000_000);
    }
    boolean isSick = pauseDetector.isDegraded(now);
    if (isSick != wasDegraded) membership.setDegraded(isSick, now());
    wasDegraded = isSick;
  }

  private void handle(Input input) {
    switch (input) {
      case Input.ReceivedMessage arrived -> {
        inputBytes.addAndGet(-arrived.message.length);
        handle(arrived);
      }
      case Input.UnreachablePeer u -> broadcasts.unreachable(new NodeId(u.peer().nodeId()), now());
      case Input.Task asked -> asked.action().run();
    }
  }

  private void handle(Input.ReceivedMessage arrived) {
    byte[] message = arrived.message();
    members.heard(arrived.from());
    if (message.length < 2) {
      metrics.countMalformed("an empty message");
      return;
    }
    switch (message[0]) {
      case SwimDriver.MESSAGE_KIND ->
          membership.handle(arrived.from(), message, arrived.reliable(), now());
      case BroadcastFormat.MESSAGE_KIND -> broadcasts.handle(message, now());
      default -> metrics.countMalformed("a kind of a later version");
    }
  }

  private void updateGauges() {
    nextGaugesAt = now() + GAUGES_EVERY_MILLIS;
    broadcasts.updateGauges(now());
    members.retain(membership::remembers);
  }

  // ---- what other threads ask for, run in this one

  void join(List<NodeAddress> seeds) {
    membership.join(seeds, now());
  }

  void updateMetadata(NodeMetadata metadata) {
    membership.updateMetadata(metadata, now());
  }

  BroadcastResult broadcast(byte[] payload) {
    return broadcasts.broadcast(payload, now());
  }

  boolean coalesce(String key, byte[] value) {
    return broadcasts.coalesce(key, value, now());
  }

  Set<NodeId> neighbours() {
    return broadcasts.neighbours();
  }

  BroadcastHealth health() {
    return broadcasts.health(now());
  }

  /**
   * Says good-bye when all neighbours have acknowledged this node's broadcasts.
   *
   * @param patience with those who do not
   * @param completed told how many members have acknowledged the good-bye
   */
  void leave(Duration patience, Consumer<Integer> completed) {
    broadcasts.close();
    onLeft = completed;
    leaveDeadline = now() + patience.toMillis();
  }

  private void leaveWhenDrained() {
    Consumer<Integer> completed = onLeft;
    if (completed == null || (!broadcasts.isDrained() && now() < leaveDeadline)) return;
    onLeft = null;
    broadcasts.shutdown(now());
    membership.leave(completed, now());
  }
}
