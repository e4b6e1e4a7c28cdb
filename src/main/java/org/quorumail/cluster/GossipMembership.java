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
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.driver.Gossip;
import org.quorumail.gossip.driver.GossipDelegate;
import org.quorumail.gossip.driver.GossipMember;
import org.quorumail.gossip.driver.GossipSettings;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.KeyRing;
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
  private static final Logger LOG = LoggerFactory.getLogger(GossipMembership.class);
  private static final JsonMapper JSON = JsonMapper.shared();

  /** How often the own card is compared with what the others have. */
  private static final Duration METADATA_CHECK_INTERVAL = Duration.ofMillis(500);

  private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(3);

  /**
   * Between two reports of a node's load; more in a large cluster, so that their sum is bounded.
   */
  private static final long REPORT_MILLIS = 2_000;

  private static final long REPORT_MILLIS_PER_MEMBER = 20;

  private final Supplier<MemberMetadata> self;
  private final ClusterEventLog events;
  private final Map<NodeId, DecodedMetadata> metadataByNode = new ConcurrentHashMap<>();
  private final Map<NodeId, MemberMetadata.NodeLoad> loads = new ConcurrentHashMap<>();
  private final Gossip gossip;
  private final Thread upkeep;
  private volatile @Nullable String idConflict;

  /** A card and the metadata that it was read from. */
  private record DecodedMetadata(byte[] encoded, MemberMetadata decoded) {}

  private GossipMembership(
      Supplier<MemberMetadata> self,
      ClusterEventLog events,
      GossipSettings settings,
      MeterRegistry meters)
      throws IOException {
    this.self = self;
    this.events = events;
    this.gossip = Gossip.start(settings, new Delegate(), meters);
    this.upkeep = Thread.ofVirtual().name("cluster-card").unstarted(this::maintainMetadata);
  }

  /**
   * @param self this node's card, asked anew twice a second
   * @param settings with the card as metadata, see {@link #encode}
   * @throws ClusterStartException when the port is taken
   */
  public static GossipMembership start(
      Supplier<MemberMetadata> self,
      ClusterEventLog events,
      GossipSettings settings,
      MeterRegistry meters)
      throws ClusterStartException {
    try {
      GossipMembership membership = new GossipMembership(self, events, settings, meters);
      membership.upkeep.start();
      return membership;
    } catch (IOException e) {
      throw ClusterStartException.ofEnvironment(
          "cluster.port: cannot listen on %s (%s); is another node running there?"
              .formatted(settings.bind(), e.getMessage()),
          e);
    }
  }

  /** What of a card travels as metadata. */
  public static byte[] encode(MemberMetadata card) {
    return JSON.writeValueAsBytes(card.with(card.load().withoutFigures()));
  }

  /** The zone in such metadata; empty when it is not readable. */
  public static String zone(byte[] metadata) {
    return read(metadata).map(MemberMetadata::zone).orElse("");
  }

  @Override
  public List<Member> members() {
    List<Member> members = new ArrayList<>();
    for (GossipMember member : gossip.members()) {
      metadataOf(member.node())
          .ifPresent(
              card ->
                  members.add(new Member(card, presence(member.state()), member.lastSeenMillis())));
    }
    return members;
  }

  @Override
  public Optional<String> joinFailure() {
    List<String> strangers = gossip.unauthenticatedSeeds();
    if (strangers.isEmpty()) return Optional.empty();
    return Optional.of(
        "cluster.secret: %s have another secret, or another cluster.name; give all nodes the same"
            .formatted(strangers));
  }

  /** Why this node cannot take part as it is: another one has its id. */
  public Optional<String> idConflict() {
    return Optional.ofNullable(idConflict);
  }

  /** Tells all nodes, this one included. */
  public void publish(String type, Map<String, String> details) {
    ClusterEvent event = event(type, details);
    events.add(event);
    byte[] bytes = new ClusterBroadcast.EventNotice(event).encode();
    if (bytes.length <= ClusterEvent.MAX_BYTES) gossip.broadcast(bytes);
  }

  public Gossip gossip() {
    return gossip;
  }

  /** New secrets, from now on. */
  public void replaceKeys(KeyRing ring) {
    gossip.replaceKeys(ring);
  }

  @Override
  public void leave() throws InterruptedException {
    upkeep.interrupt(); // the good-bye is the last that is said of this node
    gossip.leave(LEAVE_TIMEOUT);
  }

  @Override
  public void close() {
    upkeep.interrupt();
    gossip.close();
  }

  private ClusterEvent event(String type, Map<String, String> details) {
    return new ClusterEvent(Instant.now().toString(), self.get().nodeId(), type, details);
  }

  private void maintainMetadata() {
    @Nullable MemberMetadata told = null;
    long nextReport = 0;
    try {
      while (true) {
        MemberMetadata card = self.get();
        MemberMetadata lasting = card.with(card.load().withoutFigures());
        if (!lasting.equals(told)) gossip.updateMetadata(encode(card));
        told = lasting;
        if (System.nanoTime() - nextReport >= 0) {
          gossip.broadcast(new ClusterBroadcast.LoadReport(card.load()).encode());
          long pause = Math.max(REPORT_MILLIS, REPORT_MILLIS_PER_MEMBER * gossip.peerCount());
          dropForgottenMembers();
          nextReport = System.nanoTime() + Duration.ofMillis(pause).toNanos();
        }
        Thread.sleep(METADATA_CHECK_INTERVAL);
      }
    } catch (InterruptedException e) {
      LOG.debug("cluster_card_over");
    }
  }

  /** Nothing is kept of nodes that gossip itself has forgotten. */
  private void dropForgottenMembers() {
    Set<NodeId> known =
        gossip.members().stream().map(m -> m.node().id()).collect(Collectors.toSet());
    loads.keySet().retainAll(known);
    metadataByNode.keySet().retainAll(known);
  }

  private Optional<MemberMetadata> metadataOf(SwimMember node) {
    byte[] metadata = node.metadata().bytes();
    DecodedMetadata known = metadataByNode.get(node.id());
    if (known == null || !Arrays.equals(known.encoded, metadata)) {
      Optional<MemberMetadata> read =
          read(metadata).filter(c -> c.nodeId().equals(node.id().value()));
      if (read.isPresent()) {
        known = new DecodedMetadata(metadata, read.get());
        metadataByNode.put(node.id(), known);
      } else if (known == null) {
        return Optional.empty(); // on its way; a former card is better than none
      }
    }
    MemberMetadata.NodeLoad figures = loads.get(node.id());
    MemberMetadata card = known.decoded;
    return Optional.of(figures == null ? card : card.with(card.load().withFiguresOf(figures)));
  }

  private static Optional<MemberMetadata> read(byte[] metadata) {
    if (metadata.length == 0) return Optional.empty();
    try {
      return Optional.of(JSON.readValue(metadata, MemberMetadata.class));
    } catch (JacksonException e) {
      LOG.debug("cluster_card_unreadable reason=\"{}\"", e.getMessage());
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
    public void onMemberUp(SwimMember node) {
      LOG.info("cluster_member_joined node={} address={}", node.id(), node.address());
      addEvent("NodeJoined", node);
    }

    @Override
    public void onMemberSuspect(SwimMember node) {
      LOG.info("cluster_member_suspect node={}", node.id());
    }

    @Override
    public void onMemberTrusted(SwimMember node) {
      LOG.info("cluster_member_trusted node={}", node.id());
    }

    @Override
    public void onMemberDown(SwimMember node) {
      LOG.warn("cluster_member_failed node={} address={}", node.id(), node.address());
      addEvent("NodeFailed", node);
    }

    @Override
    public void onMemberLeft(SwimMember node) {
      LOG.info("cluster_member_left node={}", node.id());
      addEvent("NodeLeft", node);
    }

    @Override
    public void onConflict(SwimMember known, NodeAddress claimed) {
      LOG.error(
          "cluster_id_conflict node={} address={} also_at={}",
          known.id(),
          known.address(),
          claimed);
      if (known.id().value().equals(self.get().nodeId())) {
        idConflict =
            "node.id: two nodes call themselves %s (%s and %s); give each its own"
                .formatted(known.id(), known.address(), claimed);
      }
    }

    @Override
    public void onDeliver(BroadcastId id, byte[] payload) {
      switch (ClusterBroadcast.decode(payload).orElse(null)) {
        case ClusterBroadcast.LoadReport report -> loads.put(id.origin(), report.load());
        case ClusterBroadcast.EventNotice happened -> {
          ClusterEvent event = happened.event();
          if (event.node().equals(id.origin().value())) events.add(event);
        }
        case null -> LOG.debug("cluster_broadcast_unknown from={}", id.origin());
      }
    }

    private void addEvent(String type, SwimMember node) {
      events.add(
          event(type, Map.of("subject", node.id().value(), "address", node.address().toString())));
    }
  }
}
