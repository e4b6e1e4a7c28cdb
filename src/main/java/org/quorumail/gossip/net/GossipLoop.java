package org.quorumail.gossip.net;

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
import org.quorumail.gossip.Address;
import org.quorumail.gossip.BroadcastResult;
import org.quorumail.gossip.HealthReport;
import org.quorumail.gossip.Meta;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.Plumtree;
import org.quorumail.gossip.PlumtreeConfig;
import org.quorumail.gossip.Swim;
import org.quorumail.gossip.SwimConfig;
import org.quorumail.gossip.net.Transport.Peer;
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
  private final AtomicLong waitingBytes = new AtomicLong();
  private final LagGate gate = new LagGate();
  private final MemberBook book;
  private final GossipMetrics metrics;
  private final SwimDriver membership;
  private final PlumtreeDriver broadcasts;
  private final Outbox outbox;
  private final Transport transport;
  private final long origin = System.nanoTime();
  private final Thread thread;
  private final DropWarnings warnings = new DropWarnings();
  private volatile boolean stopping;
  private @Nullable Consumer<Integer> leaving;
  private long goodByeAt;
  private boolean wasSick;
  private long gaugesAt;

  private sealed interface Input {
    record Arrived(Address from, byte[] message, boolean reliable) implements Input {}

    record Unreachable(Peer peer) implements Input {}

    /** Something that another thread wants of the cores. */
    record Asked(Runnable what) implements Input {}
  }

  /** What connects the loop with the network; asked once, at the start. */
  interface Wiring {
    Transport connect(Transport.Receiver receiver) throws IOException;
  }

  GossipLoop(
      GossipSettings settings,
      MemberBook book,
      GossipMetrics metrics,
      DelegateThread delegate,
      Wiring wiring)
      throws IOException {
    this.book = book;
    this.metrics = metrics;
    this.transport = wiring.connect(this);
    this.outbox = new Outbox(transport);
    // a restarted node outbids its former life at once; a clock that went back costs one refutation
    long incarnation = System.currentTimeMillis();
    this.broadcasts = broadcasts(settings, incarnation, delegate);
    this.membership = membership(settings, incarnation, delegate);
    this.thread = Thread.ofPlatform().name("gossip").daemon().unstarted(this::run);
  }

  private PlumtreeDriver broadcasts(
      GossipSettings settings, long incarnation, DelegateThread delegate) {
    NodeId self = new NodeId(settings.nodeId());
    PlumtreeConfig config = settings.plumtree();
    String zone = settings.zoneOf().apply(settings.metadata());
    BroadcastFormat format = new BroadcastFormat(self, config.maxMessageSize());
    return new PlumtreeDriver(
        new Plumtree(self, zone, incarnation, config, new SplittableRandom(), metrics, 0),
        new Neighbours(transport, outbox, book, format, config, metrics),
        format,
        book,
        metrics,
        delegate,
        settings.zoneOf(),
        config.bridge().logChanges());
  }

  private SwimDriver membership(
      GossipSettings settings, long incarnation, DelegateThread delegate) {
    SwimConfig config =
        settings.membership().withPacketBytes(transport.datagramCapacity() - Body.PER_MESSAGE - 1);
    Node node =
        new Node(
            new NodeId(settings.nodeId()),
            address(settings.advertised(), transport.port()),
            incarnation,
            Meta.of(settings.metadata()));
    return new SwimDriver(
        new Swim(config, node, new SplittableRandom(), 0),
        broadcasts,
        book,
        metrics,
        delegate,
        transport,
        outbox);
  }

  /** Port 0 stands for the one that was bound. */
  private static Address address(InetSocketAddress advertised, int bound) {
    int port = advertised.getPort() == 0 ? bound : advertised.getPort();
    return Datagrams.address(new InetSocketAddress(advertised.getAddress(), port));
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
  boolean ask(Runnable what) {
    return !stopping && inputs.offer(new Input.Asked(what));
  }

  @Override
  public boolean received(Address from, byte[] message, boolean reliable) {
    long before = waitingBytes.getAndAdd(message.length);
    boolean fits = before == 0 || before + message.length <= MAX_INPUT_BYTES;
    boolean taken = fits && inputs.offer(new Input.Arrived(from, message, reliable));
    if (!taken) waitingBytes.addAndGet(-message.length);
    return taken;
  }

  @Override
  public void unreachable(Peer to) {
    if (!to.name().isEmpty() && !inputs.offer(new Input.Unreachable(to))) {
      metrics.dropped(DropReason.QUEUE_FULL);
    }
  }

  @Override
  public void refused(Peer by) {
    book.refused(by.address());
  }

  @Override
  public void dropped(DropReason reason) {
    metrics.dropped(reason);
    warnings.note(reason);
  }

  // ---- the thread

  private void run() {
    while (!stopping) {
      try {
        turn();
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        log.error("gossip_failed", e); // a bug; the other members are still worth talking to
      }
    }
  }

  private void turn() throws InterruptedException {
    long before = System.nanoTime();
    long wait = pause(Math.min(membership.nextDeadline(), broadcasts.nextDeadline()), now());
    Input input = inputs.poll(wait, TimeUnit.MILLISECONDS);
    noteLateness(before, Duration.ofMillis(wait));
    long working = System.nanoTime();
    for (int i = 0; input != null && i < MAX_PER_TURN; i++) {
      handle(input);
      input = i + 1 < MAX_PER_TURN ? inputs.poll() : null;
    }
    membership.tick(now());
    broadcasts.tick(now());
    sayGoodByeWhenHeard();
    outbox.flush();
    noteLateness(working, Duration.ZERO);
    if (now() >= gaugesAt) measure();
  }

  /**
   * Until when to wait, of deadlines from the beginning of time ("at once") to its end ("never").
   */
  static long pause(long deadline, long now) {
    return deadline <= now ? 0 : Math.min(deadline - now, MAX_WAIT_MILLIS);
  }

  /** Milliseconds since this loop was made. */
  private long now() {
    return (System.nanoTime() - origin) / 1_000_000;
  }

  private void noteLateness(long since, Duration meant) {
    long now = System.nanoTime();
    long late = now - since - meant.toNanos();
    if (gate.note(late, now)) {
      metrics.stalled(Duration.ofNanos(late));
      log.info("gossip_stalled millis={}", late / 1_000_000);
    }
    boolean isSick = gate.isSick(now);
    if (isSick != wasSick) membership.sick(isSick, now());
    wasSick = isSick;
  }

  private void handle(Input input) {
    switch (input) {
      case Input.Arrived arrived -> {
        waitingBytes.addAndGet(-arrived.message.length);
        handle(arrived);
      }
      case Input.Unreachable u -> broadcasts.unreachable(new NodeId(u.peer().name()), now());
      case Input.Asked asked -> asked.what().run();
    }
  }

  private void handle(Input.Arrived arrived) {
    byte[] message = arrived.message();
    book.heard(arrived.from());
    if (message.length < 2) {
      metrics.malformed("an empty message");
      return;
    }
    switch (message[0]) {
      case SwimDriver.KIND -> membership.handle(arrived.from(), message, arrived.reliable(), now());
      case BroadcastFormat.KIND -> broadcasts.handle(message, now());
      default -> metrics.malformed("a kind of a later version");
    }
  }

  private void measure() {
    gaugesAt = now() + GAUGES_EVERY_MILLIS;
    broadcasts.measure(now());
    book.retain(membership::knows);
  }

  // ---- what other threads ask for, run in this one

  void join(List<Address> seeds) {
    membership.join(seeds, now());
  }

  void updateMetadata(Meta metadata) {
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

  HealthReport health() {
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
    leaving = completed;
    goodByeAt = now() + patience.toMillis();
  }

  private void sayGoodByeWhenHeard() {
    Consumer<Integer> completed = leaving;
    if (completed == null || (!broadcasts.isDrained() && now() < goodByeAt)) return;
    leaving = null;
    broadcasts.shutdown(now());
    membership.leave(completed, now());
  }
}
