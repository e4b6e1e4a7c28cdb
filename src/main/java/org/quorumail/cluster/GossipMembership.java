package org.quorumail.cluster;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.MemberState;
import org.quorumail.gossip.MessageId;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.net.Gossip;
import org.quorumail.gossip.net.GossipDelegate;
import org.quorumail.gossip.net.GossipMember;
import org.quorumail.gossip.net.GossipSettings;
import org.quorumail.gossip.net.KeyRing;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Membership by gossip. A node's card travels as its metadata, without the figures that change all
 * the time; those are broadcast every few seconds. What happens is told as {@link ClusterEvent}s:
 * who comes and goes by each node for itself, the rest by the node where it happens, to all.
 *
 * <p>Threads: the driver's, and one virtual thread that looks after this node's own card.
 */
public final class GossipMembership implements Membership {
  private static final Logger log = LoggerFactory.getLogger(GossipMembership.class);
  private static final JsonMapper JSON = JsonMapper.shared();

  /** How often the own card is compared with what the others have. */
  private static final Duration LOOK = Duration.ofMillis(500);

  private static final Duration LEAVE_PATIENCE = Duration.ofSeconds(3);

  /**
   * Between two reports of a node's load; more in a large cluster, so that their sum is bounded.
   */
  private static final long REPORT_MILLIS = 2_000;

  private static final long REPORT_MILLIS_PER_MEMBER = 20;

  private final Supplier<NodeCard> self;
  private final EventLog events;
  private final Map<NodeId, Decoded> cards = new ConcurrentHashMap<>();
  private final Map<NodeId, NodeCard.Load> loads = new ConcurrentHashMap<>();
  private final Gossip gossip;
  private final Thread upkeep;
  private volatile @Nullable String conflict;

  /** A card and the metadata that it was read from. */
  private record Decoded(byte[] metadata, NodeCard card) {}

  private GossipMembership(
      Supplier<NodeCard> self, EventLog events, GossipSettings settings, MeterRegistry meters)
      throws IOException {
    this.self = self;
    this.events = events;
    this.gossip = Gossip.start(settings, new Delegate(), meters);
    this.upkeep = Thread.ofVirtual().name("cluster-card").unstarted(this::lookAfterCard);
  }

  /**
   * @param self this node's card, asked anew twice a second
   * @param settings with the card as metadata, see {@link #metadata}
   * @throws ClusterFault when the port is taken
   */
  public static GossipMembership start(
      Supplier<NodeCard> self, EventLog events, GossipSettings settings, MeterRegistry meters)
      throws ClusterFault {
    try {
      GossipMembership membership = new GossipMembership(self, events, settings, meters);
      membership.upkeep.start();
      return membership;
    } catch (IOException e) {
      throw ClusterFault.outside(
          "cluster.port: cannot listen on %s (%s); is another node running there?"
              .formatted(settings.bind(), e.getMessage()),
          e);
    }
  }

  /** What of a card travels as metadata. */
  public static byte[] metadata(NodeCard card) {
    return JSON.writeValueAsBytes(card.with(card.load().withoutFigures()));
  }

  /** The zone in such metadata; empty when it is not readable. */
  public static String zone(byte[] metadata) {
    return read(metadata).map(NodeCard::zone).orElse("");
  }

  @Override
  public List<Member> members() {
    List<Member> members = new ArrayList<>();
    for (GossipMember member : gossip.members()) {
      card(member.node())
          .ifPresent(
              card ->
                  members.add(
                      new Member(card, presence(member.state()), member.lastHeardMillis())));
    }
    return members;
  }

  @Override
  public Optional<String> refusal() {
    List<String> strangers = gossip.strangers();
    if (strangers.isEmpty()) return Optional.empty();
    return Optional.of(
        "cluster.secret: %s have another secret, or another cluster.name; give all nodes the same"
            .formatted(strangers));
  }

  /** Why this node cannot take part as it is: another one has its id. */
  public Optional<String> conflict() {
    return Optional.ofNullable(conflict);
  }

  /** Tells all nodes, this one included. */
  public void publish(String type, Map<String, String> details) {
    ClusterEvent event = event(type, details);
    events.add(event);
    byte[] bytes = new Broadcast.Happened(event).bytes();
    if (bytes.length <= ClusterEvent.MAX_BYTES) gossip.broadcast(bytes);
  }

  public Gossip gossip() {
    return gossip;
  }

  /** New secrets, from now on. */
  public void use(KeyRing ring) {
    gossip.use(ring);
  }

  @Override
  public void leave() throws InterruptedException {
    upkeep.interrupt(); // the good-bye is the last that is said of this node
    gossip.leave(LEAVE_PATIENCE);
  }

  @Override
  public void close() {
    upkeep.interrupt();
    gossip.close();
  }

  private ClusterEvent event(String type, Map<String, String> details) {
    return new ClusterEvent(Instant.now().toString(), self.get().nodeId(), type, details);
  }

  private void lookAfterCard() {
    @Nullable NodeCard told = null;
    long nextReport = 0;
    try {
      while (true) {
        NodeCard card = self.get();
        NodeCard lasting = card.with(card.load().withoutFigures());
        if (!lasting.equals(told)) gossip.updateMetadata(metadata(card));
        told = lasting;
        if (System.nanoTime() - nextReport >= 0) {
          gossip.broadcast(new Broadcast.LoadReport(card.load()).bytes());
          long pause = Math.max(REPORT_MILLIS, REPORT_MILLIS_PER_MEMBER * gossip.peerCount());
          forgetStrangers();
          nextReport = System.nanoTime() + Duration.ofMillis(pause).toNanos();
        }
        Thread.sleep(LOOK);
      }
    } catch (InterruptedException e) {
      log.debug("cluster_card_over");
    }
  }

  /** Nothing is kept of nodes that gossip itself has forgotten. */
  private void forgetStrangers() {
    Set<NodeId> known =
        gossip.members().stream().map(m -> m.node().id()).collect(Collectors.toSet());
    loads.keySet().retainAll(known);
    cards.keySet().retainAll(known);
  }

  private Optional<NodeCard> card(Node node) {
    byte[] metadata = node.meta().bytes();
    Decoded known = cards.get(node.id());
    if (known == null || !Arrays.equals(known.metadata, metadata)) {
      Optional<NodeCard> read = read(metadata).filter(c -> c.nodeId().equals(node.id().value()));
      if (read.isPresent()) {
        known = new Decoded(metadata, read.get());
        cards.put(node.id(), known);
      } else if (known == null) {
        return Optional.empty(); // on its way; a former card is better than none
      }
    }
    NodeCard.Load figures = loads.get(node.id());
    NodeCard card = known.card;
    return Optional.of(figures == null ? card : card.with(card.load().withFiguresOf(figures)));
  }

  private static Optional<NodeCard> read(byte[] metadata) {
    if (metadata.length == 0) return Optional.empty();
    try {
      return Optional.of(JSON.readValue(metadata, NodeCard.class));
    } catch (JacksonException e) {
      log.debug("cluster_card_unreadable reason=\"{}\"", e.getMessage());
      return Optional.empty();
    }
  }

  private static Presence presence(MemberState state) {
    return switch (state) {
      case ALIVE -> Presence.ALIVE;
      case SUSPECT -> Presence.SUSPECT;
      case DEAD -> Presence.DEAD;
      case LEFT -> Presence.LEFT;
    };
  }

  /** Turns what the driver tells into events; called by its delegate thread. */
  private final class Delegate implements GossipDelegate {
    @Override
    public void onMemberUp(Node node) {
      log.info("cluster_member_joined node={} address={}", node.id(), node.address());
      tell("NodeJoined", node);
    }

    @Override
    public void onMemberSuspect(Node node) {
      log.info("cluster_member_suspect node={}", node.id());
    }

    @Override
    public void onMemberTrusted(Node node) {
      log.info("cluster_member_trusted node={}", node.id());
    }

    @Override
    public void onMemberDown(Node node) {
      log.warn("cluster_member_failed node={} address={}", node.id(), node.address());
      tell("NodeFailed", node);
    }

    @Override
    public void onMemberLeft(Node node) {
      log.info("cluster_member_left node={}", node.id());
      tell("NodeLeft", node);
    }

    @Override
    public void onConflict(Node known, Address claimed) {
      log.error(
          "cluster_id_conflict node={} address={} also_at={}",
          known.id(),
          known.address(),
          claimed);
      if (known.id().value().equals(self.get().nodeId())) {
        conflict =
            "node.id: two nodes call themselves %s (%s and %s); give each its own"
                .formatted(known.id(), known.address(), claimed);
      }
    }

    @Override
    public void onDeliver(MessageId id, byte[] payload) {
      switch (Broadcast.read(payload).orElse(null)) {
        case Broadcast.LoadReport report -> loads.put(id.origin(), report.load());
        case Broadcast.Happened happened -> {
          ClusterEvent event = happened.event();
          if (event.node().equals(id.origin().value())) events.add(event);
        }
        case null -> log.debug("cluster_broadcast_unknown from={}", id.origin());
      }
    }

    private void tell(String type, Node node) {
      events.add(
          event(type, Map.of("subject", node.id().value(), "address", node.address().toString())));
    }
  }
}
