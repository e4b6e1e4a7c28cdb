package org.quorumail.gossip.driver;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.driver.InputQueue.Input;
import org.quorumail.gossip.plumtree.BroadcastHealth;
import org.quorumail.gossip.plumtree.BroadcastResult;
import org.quorumail.gossip.plumtree.Plumtree;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.Swim;
import org.quorumail.gossip.swim.SwimConfig;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.FrameBody;
import org.quorumail.gossip.transport.SocketAddresses;
import org.quorumail.gossip.transport.Transport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gossip thread, which owns both cores. It passes each input of the {@link InputQueue} to
 * {@link SwimDriver} or {@link PlumtreeDriver}; these call a core and perform the effects it
 * returns. Nothing else touches the cores.
 */
final class GossipLoop {
  private static final Logger LOG = LoggerFactory.getLogger(GossipLoop.class);

  /** Bounds the inputs between two checks of the cores' deadlines. */
  private static final int MAX_PER_TURN = 256;

  private static final long MAX_WAIT_MILLIS = 1_000;
  private static final long GAUGES_EVERY_MILLIS = 5_000;

  private final InputQueue inputs;
  private final Transport transport;
  private final SwimDriver membership;
  private final PlumtreeDriver broadcasts;
  private final DatagramBatcher batcher;
  private final MemberDirectory members;
  private final GossipMetrics metrics;
  private final PauseDetector pauseDetector = new PauseDetector();
  private final long origin = System.nanoTime();
  private final Thread thread;
  private volatile boolean stopping;
  private @Nullable Consumer<Integer> onLeft;
  private long leaveDeadline;
  private boolean wasDegraded;
  private long nextGaugesAt;

  /** Binds the transport of a loop; called once, when the loop opens. */
  interface TransportFactory {
    Transport bind(Transport.Receiver receiver) throws IOException;
  }

  private GossipLoop(
      InputQueue inputs,
      Transport transport,
      SwimDriver membership,
      PlumtreeDriver broadcasts,
      DatagramBatcher batcher,
      MemberDirectory members,
      GossipMetrics metrics) {
    this.inputs = inputs;
    this.transport = transport;
    this.membership = membership;
    this.broadcasts = broadcasts;
    this.batcher = batcher;
    this.members = members;
    this.metrics = metrics;
    this.thread = Thread.ofPlatform().name("gossip").daemon().unstarted(this::run);
  }

  /**
   * Binds the transport and creates both cores; {@link #start} starts the thread.
   *
   * @throws IOException when the port is taken
   */
  static GossipLoop open(
      GossipSettings settings,
      MemberDirectory members,
      GossipMetrics metrics,
      DelegateDispatcher delegate,
      TransportFactory factory)
      throws IOException {
    InputQueue inputs = new InputQueue(members, metrics);
    Transport transport = factory.bind(inputs);
    DatagramBatcher batcher = new DatagramBatcher(transport);
    // A restarted node exceeds its previous incarnation at once. A clock set back costs one
    // refutation.
    long incarnation = System.currentTimeMillis();
    PlumtreeDriver broadcasts =
        plumtreeDriver(settings, incarnation, transport, batcher, members, metrics, delegate);
    SwimDriver membership =
        new SwimDriver(
            swim(settings, incarnation, transport),
            broadcasts,
            members,
            metrics,
            delegate,
            transport,
            batcher);
    return new GossipLoop(inputs, transport, membership, broadcasts, batcher, members, metrics);
  }

  private static PlumtreeDriver plumtreeDriver(
      GossipSettings settings,
      long incarnation,
      Transport transport,
      DatagramBatcher batcher,
      MemberDirectory members,
      GossipMetrics metrics,
      DelegateDispatcher delegate) {
    NodeId self = new NodeId(settings.nodeId());
    PlumtreeConfig config = settings.plumtree();
    String zone = settings.zoneOf().apply(settings.metadata());
    BroadcastFormat format = new BroadcastFormat(self, config.maxMessageSize());
    return new PlumtreeDriver(
        new Plumtree(self, zone, incarnation, config, new SplittableRandom(), metrics, 0),
        new NeighbourConnections(transport, batcher, members, format, config, metrics),
        format,
        members,
        metrics,
        delegate,
        settings.zoneOf(),
        config.bridge().logChanges());
  }

  private static Swim swim(GossipSettings settings, long incarnation, Transport transport) {
    int packetBytes = transport.datagramCapacity() - FrameBody.MESSAGE_OVERHEAD - 1;
    SwimConfig config = settings.effectiveSwim().withPacketBytes(packetBytes);
    SwimMember self =
        new SwimMember(
            new NodeId(settings.nodeId()),
            advertisedAddress(settings.advertised(), transport.port()),
            incarnation,
            NodeMetadata.of(settings.metadata()));
    return new Swim(config, self, new SplittableRandom(), 0);
  }

  /** The advertised address; port 0 stands for the bound one. */
  private static NodeAddress advertisedAddress(InetSocketAddress advertised, int bound) {
    int port = advertised.getPort() == 0 ? bound : advertised.getPort();
    return SocketAddresses.toNodeAddress(new InetSocketAddress(advertised.getAddress(), port));
  }

  void start() {
    thread.start();
  }

  Transport transport() {
    return transport;
  }

  void stop() {
    stopping = true;
    inputs.close();
    thread.interrupt();
  }

  /**
   * Runs the action in the gossip thread; false when too many inputs wait, or after {@link #stop}.
   */
  boolean submit(Runnable action) {
    return inputs.submit(action);
  }

  // ---- the thread

  private void run() {
    while (!stopping) {
      try {
        runOnce();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        // a bug; the loop continues, because without it the node would be declared dead
        LOG.error("event=gossip_failed", e);
      }
    }
  }

  private void runOnce() throws InterruptedException {
    long waitingSince = System.nanoTime();
    long deadline = Math.min(membership.nextDeadline(), broadcasts.nextDeadline());
    long wait = waitMillis(deadline, now());
    Input input = inputs.poll(wait);
    recordDelay(waitingSince, Duration.ofMillis(wait));
    long workingSince = System.nanoTime();
    for (int i = 0; input != null && i < MAX_PER_TURN; i++) {
      handle(input);
      input = i + 1 < MAX_PER_TURN ? inputs.poll() : null;
    }
    membership.tick(now());
    broadcasts.tick(now());
    leaveWhenDrained();
    batcher.flush();
    recordDelay(workingSince, Duration.ZERO);
    if (now() >= nextGaugesAt) updateGauges();
  }

  /** The time to wait for a deadline, which may be in the past, or never. */
  static long waitMillis(long deadline, long now) {
    return deadline <= now ? 0 : Math.min(deadline - now, MAX_WAIT_MILLIS);
  }

  /** The cores' clock: milliseconds since this loop was created. */
  private long now() {
    return (System.nanoTime() - origin) / 1_000_000;
  }

  private void recordDelay(long since, Duration expected) {
    long now = System.nanoTime();
    long delay = now - since - expected.toNanos();
    if (pauseDetector.recordDelay(delay, now)) {
      metrics.recordPause(Duration.ofNanos(delay));
      LOG.info("event=gossip_stalled millis={}", delay / 1_000_000);
    }
    boolean isDegraded = pauseDetector.isDegraded(now);
    if (isDegraded != wasDegraded) membership.setDegraded(isDegraded, now());
    wasDegraded = isDegraded;
  }

  private void handle(Input input) {
    switch (input) {
      case Input.ReceivedMessage received -> handle(received);
      case Input.UnreachablePeer unreachable ->
          broadcasts.unreachable(new NodeId(unreachable.peer().nodeId()), now());
      case Input.Task task -> task.action().run();
    }
  }

  private void handle(Input.ReceivedMessage received) {
    byte[] message = received.message();
    members.recordContact(received.from());
    if (message.length < 2) {
      metrics.countMalformed("an empty message");
      return;
    }
    switch (message[0]) {
      case SwimDriver.MESSAGE_KIND ->
          membership.handle(received.from(), message, received.reliable(), now());
      case BroadcastFormat.MESSAGE_KIND -> broadcasts.handle(message, now());
      default -> metrics.countMalformed("a kind of message of a later version");
    }
  }

  private void updateGauges() {
    nextGaugesAt = now() + GAUGES_EVERY_MILLIS;
    broadcasts.updateGauges(now());
    members.retain(membership::remembers);
  }

  // ---- submitted by other threads, run in this one

  void join(List<NodeAddress> seeds) {
    checkThread();
    membership.join(seeds, now());
  }

  void updateMetadata(NodeMetadata metadata) {
    checkThread();
    membership.updateMetadata(metadata, now());
  }

  BroadcastResult broadcast(byte[] payload) {
    checkThread();
    return broadcasts.broadcast(payload, now());
  }

  boolean coalesce(String key, byte[] value) {
    checkThread();
    return broadcasts.coalesce(key, value, now());
  }

  Set<NodeId> neighbours() {
    checkThread();
    return broadcasts.neighbours();
  }

  BroadcastHealth health() {
    checkThread();
    return broadcasts.health(now());
  }

  /**
   * Leaves the cluster when all neighbours have acknowledged this node's broadcasts.
   *
   * @param timeout the limit for the acknowledgements of the broadcasts
   * @param completed called with the number of members that have acknowledged the leave
   */
  void leave(Duration timeout, Consumer<Integer> completed) {
    checkThread();
    broadcasts.close();
    onLeft = completed;
    leaveDeadline = now() + timeout.toMillis();
  }

  private void leaveWhenDrained() {
    Consumer<Integer> completed = onLeft;
    if (completed == null || (!broadcasts.isDrained() && now() < leaveDeadline)) return;
    onLeft = null;
    broadcasts.shutdown(now());
    membership.leave(completed, now());
  }

  private void checkThread() {
    if (Thread.currentThread() != thread) {
      throw new IllegalStateException("only the gossip thread may use the cores");
    }
  }
}
