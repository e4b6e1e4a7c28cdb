package org.quorumail.gossip.net;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.MemberState;
import org.quorumail.gossip.Meta;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.Plumtree;
import org.quorumail.gossip.PlumtreeCodec;
import org.quorumail.gossip.PlumtreeEffect;
import org.quorumail.gossip.PlumtreeMetric;
import org.quorumail.gossip.Swim;
import org.quorumail.gossip.SwimCodec;
import org.quorumail.gossip.SwimConfig;
import org.quorumail.gossip.SwimEffect;
import org.quorumail.gossip.net.Transport.Peer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that owns both cores: takes what arrives and what is asked, lets the cores decide,
 * carries out what they say. Nothing else touches them.
 *
 * <p>A message between drivers is one byte of kind, for broadcasts the sender's id with its length
 * before it, and the core's own bytes.
 */
final class GossipLoop implements Transport.Receiver {
  private static final Logger log = LoggerFactory.getLogger(GossipLoop.class);

  /** A second of a node that many others talk to; beyond that a datagram is better dropped. */
  private static final int MAX_INPUTS = 8_192;

  /** So that the cores' deadlines are looked at in between. */
  private static final int MAX_PER_TURN = 256;

  private static final long MAX_WAIT_MILLIS = 1_000;
  private static final long GAUGES_EVERY_MILLIS = 5_000;
  private static final byte SWIM = 1;
  private static final byte PLUMTREE = 2;

  private final ArrayBlockingQueue<Input> inputs = new ArrayBlockingQueue<>(MAX_INPUTS);
  private final LagGate gate = new LagGate();
  private final MemberBook book;
  private final GossipMetrics metrics;
  private final DelegateThread delegate;
  private final Function<byte[], String> zoneOf;
  private final NodeId self;
  private final byte[] plumtreePrefix;
  private final Swim swim;
  private final Plumtree plumtree;
  private final PlumtreeCodec codec;
  private final Outbox outbox;
  private final Transport transport;
  private final long origin = System.nanoTime();
  private final Thread thread;
  private volatile boolean stopping;
  private Consumer<Integer> onLeft = acknowledged -> {};
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
    this.delegate = delegate;
    this.zoneOf = settings.zoneOf();
    this.self = new NodeId(settings.nodeId());
    byte[] name = settings.nodeId().getBytes(StandardCharsets.US_ASCII);
    this.plumtreePrefix =
        ByteBuffer.allocate(2 + name.length)
            .put(PLUMTREE)
            .put((byte) name.length)
            .put(name)
            .array();
    this.transport = wiring.connect(this);
    this.outbox = new Outbox(transport);
    // a restarted node outbids its former life at once; a clock that went back costs one refutation
    long incarnation = System.currentTimeMillis();
    SwimConfig swimConfig =
        settings.swim().withPacketBytes(transport.datagramCapacity() - Body.PER_MESSAGE - 1);
    Node node =
        new Node(
            self,
            address(settings.advertised(), transport.port()),
            incarnation,
            Meta.of(settings.metadata()));
    java.util.random.RandomGenerator random = new java.util.SplittableRandom();
    this.swim = new Swim(swimConfig, node, random, 0);
    this.plumtree =
        new Plumtree(
            self,
            zoneOf.apply(settings.metadata()),
            incarnation,
            settings.plumtree(),
            random,
            metrics,
            0);
    this.codec = new PlumtreeCodec(settings.plumtree().maxMessageSize());
    this.thread = Thread.ofPlatform().name("gossip").daemon().unstarted(this::run);
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
    return inputs.offer(new Input.Arrived(from, message, reliable));
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
    long due = Math.min(swim.nextDeadline(), plumtree.nextDeadline()) - now();
    long wait = Math.clamp(due, 0, MAX_WAIT_MILLIS);
    Input input = inputs.poll(wait, TimeUnit.MILLISECONDS);
    noteLateness(before, Duration.ofMillis(wait));
    long working = System.nanoTime();
    for (int i = 0; input != null && i < MAX_PER_TURN; i++) {
      handle(input);
      input = i + 1 < MAX_PER_TURN ? inputs.poll() : null;
    }
    carryOut(swim.tick(now()));
    carryOutBroadcasts(plumtree.tick(now()));
    outbox.flush();
    noteLateness(working, Duration.ZERO);
    if (now() >= gaugesAt) measure();
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
    if (isSick != wasSick) swim.sick(isSick, now());
    wasSick = isSick;
  }

  private void handle(Input input) {
    switch (input) {
      case Input.Arrived arrived -> handle(arrived);
      case Input.Unreachable u ->
          carryOutBroadcasts(plumtree.sendFailed(new NodeId(u.peer().name()), now()));
      case Input.Asked asked -> asked.what().run();
    }
  }

  private void handle(Input.Arrived arrived) {
    book.heard(arrived.from());
    byte[] message = arrived.message();
    if (message.length < 2) {
      metrics.dropped(DropReason.MALFORMED);
      return;
    }
    switch (message[0]) {
      case SWIM -> {
        ByteBuffer bytes = ByteBuffer.wrap(message, 1, message.length - 1).slice();
        switch (SwimCodec.decode(bytes)) {
          case SwimCodec.Decoded.Packet p ->
              carryOut(swim.handle(arrived.from(), p.packet(), arrived.reliable(), now()));
          case SwimCodec.Decoded.Malformed m -> malformed(m.reason());
        }
      }
      case PLUMTREE -> broadcastMessage(message);
      default -> metrics.dropped(DropReason.MALFORMED); // of a later version
    }
  }

  private void broadcastMessage(byte[] message) {
    int length = message[1];
    if (length < 1 || length > NodeId.MAX_LENGTH || message.length < 2 + length) {
      malformed("no sender");
      return;
    }
    String name = new String(message, 2, length, StandardCharsets.US_ASCII);
    NodeId sender;
    try {
      sender = new NodeId(name);
    } catch (IllegalArgumentException e) {
      malformed("a sender's name");
      return;
    }
    if (book.peer(sender).isEmpty()) return; // not a member (any more): it will be told
    ByteBuffer bytes = ByteBuffer.wrap(message, 2 + length, message.length - 2 - length).slice();
    switch (codec.decode(bytes)) {
      case PlumtreeCodec.Message m ->
          carryOutBroadcasts(plumtree.onMessage(sender, m.message(), now()));
      case PlumtreeCodec.Malformed m -> malformed(m.reason());
    }
  }

  private void malformed(String reason) {
    metrics.dropped(DropReason.MALFORMED);
    log.debug("gossip_malformed reason=\"{}\"", reason);
  }

  // ---- effects

  private void carryOut(List<SwimEffect> effects) {
    for (SwimEffect effect : effects) {
      switch (effect) {
        case SwimEffect.Send send -> send(send);
        case SwimEffect.MemberUp up -> {
          put(up.node(), MemberState.ALIVE);
          delegate.tell(d -> d.onMemberUp(up.node()));
        }
        case SwimEffect.MemberUpdated updated -> {
          put(updated.node(), swim.state(updated.node().id()).orElse(MemberState.ALIVE));
          delegate.tell(d -> d.onMemberUpdated(updated.node()));
        }
        case SwimEffect.MemberSuspect suspect -> {
          book.put(suspect.node(), MemberState.SUSPECT);
          delegate.tell(d -> d.onMemberSuspect(suspect.node()));
        }
        case SwimEffect.MemberTrusted trusted -> {
          book.put(trusted.node(), MemberState.ALIVE);
          delegate.tell(d -> d.onMemberTrusted(trusted.node()));
        }
        case SwimEffect.MemberDown down -> {
          book.put(down.node(), MemberState.DEAD);
          carryOutBroadcasts(plumtree.neighbourDown(down.node().id(), now()));
          delegate.tell(d -> d.onMemberDown(down.node()));
        }
        case SwimEffect.MemberLeft left -> {
          book.put(left.node(), MemberState.LEFT);
          carryOutBroadcasts(plumtree.neighbourDown(left.node().id(), now()));
          delegate.tell(d -> d.onMemberLeft(left.node()));
        }
        case SwimEffect.Conflict conflict ->
            delegate.tell(d -> d.onConflict(conflict.known(), conflict.claimed()));
        case SwimEffect.Refuted refuted ->
            log.info("gossip_refuted incarnation={}", refuted.incarnation());
        case SwimEffect.HealthScore health -> metrics.healthScore(health.score());
        case SwimEffect.LeaveCompleted completed -> onLeft.accept(completed.acknowledged());
        case SwimEffect.Joined joined ->
            log.debug("gossip_joined seed={} member={}", joined.seed(), joined.member());
        case SwimEffect.RoundTrip trip -> log.trace("gossip_round_trip {}", trip);
      }
    }
  }

  /** A member that is there takes part in broadcasts. */
  private void put(Node node, MemberState state) {
    book.put(node, state);
    String zone = zoneOf.apply(node.meta().bytes());
    carryOutBroadcasts(plumtree.neighbourUp(node.id(), zone, now()));
  }

  private void send(SwimEffect.Send send) {
    ByteBuffer bytes = SwimCodec.encode(send.packet());
    byte[] message = new byte[1 + bytes.remaining()];
    message[0] = SWIM;
    bytes.get(message, 1, message.length - 1);
    Peer to = book.peer(send.to());
    if (send.reliable()) transport.sendReliably(to, message);
    else outbox.add(to, message);
  }

  private void carryOutBroadcasts(List<PlumtreeEffect> effects) {
    for (PlumtreeEffect effect : effects) {
      switch (effect) {
        case PlumtreeEffect.Send send -> send(send);
        case PlumtreeEffect.Deliver delivered ->
            delegate.tell(d -> d.onDeliver(delivered.id(), delivered.payload()));
        case PlumtreeEffect.EagerPromotion promotion ->
            delegate.tell(d -> d.onEagerPromotion(promotion.peer()));
        case PlumtreeEffect.LazyDemotion demotion ->
            delegate.tell(d -> d.onLazyDemotion(demotion.peer()));
        case PlumtreeEffect.GraftSent sent ->
            delegate.tell(d -> d.onGraftSent(sent.peer(), sent.id()));
        case PlumtreeEffect.PruneSent sent -> delegate.tell(d -> d.onPruneSent(sent.peer()));
        case PlumtreeEffect.GraftFailed failed ->
            delegate.tell(d -> d.onGraftFailed(failed.id(), failed.peer()));
        case PlumtreeEffect.NeighbourAdded added ->
            log.debug("gossip_neighbour_added node={}", added.peer());
        case PlumtreeEffect.NeighbourRemoved removed ->
            log.debug("gossip_neighbour_removed {}", removed);
      }
    }
  }

  private void send(PlumtreeEffect.Send send) {
    Peer to = book.peer(send.to()).orElse(null);
    if (to == null) return; // it has gone meanwhile; the core hears of that too
    ByteBuffer bytes = codec.encode(send.message());
    byte[] message = new byte[plumtreePrefix.length + bytes.remaining()];
    System.arraycopy(plumtreePrefix, 0, message, 0, plumtreePrefix.length);
    bytes.get(message, plumtreePrefix.length, bytes.remaining());
    outbox.add(to, message);
  }

  private void measure() {
    gaugesAt = now() + GAUGES_EVERY_MILLIS;
    for (PlumtreeMetric metric : PlumtreeMetric.values()) {
      plumtree.gauge(metric, now()).ifPresent(value -> metrics.gauge(metric, value));
    }
    book.retain(id -> swim.state(id).isPresent());
  }

  // ---- what other threads ask for, run in this one

  void join(List<Address> seeds) {
    carryOut(swim.join(seeds, now()));
  }

  void updateMetadata(byte[] metadata) {
    carryOut(swim.updateMeta(Meta.of(metadata), now()));
  }

  org.quorumail.gossip.BroadcastResult broadcast(byte[] payload) {
    var result = plumtree.broadcast(payload, now());
    carryOutBroadcasts(result.effects());
    return result;
  }

  boolean coalesce(String key, byte[] value) {
    return plumtree.coalesce(key, value, now());
  }

  org.quorumail.gossip.HealthReport health() {
    return plumtree.health(now());
  }

  /**
   * @param completed told how many members have acknowledged the good-bye
   */
  void leave(Consumer<Integer> completed) {
    onLeft = completed;
    carryOutBroadcasts(plumtree.shutdown());
    carryOut(swim.leave(now()));
  }
}
