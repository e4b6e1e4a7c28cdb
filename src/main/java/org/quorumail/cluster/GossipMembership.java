package org.quorumail.cluster;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Duration;
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
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.driver.Gossip;
import org.quorumail.gossip.driver.GossipMember;
import org.quorumail.gossip.driver.GossipSettings;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.SwimMember;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The membership by gossip (SWIM), with broadcasts (Plumtree). The metadata of a node travels with
 * its membership, without the figures that change all the time; these are broadcast every few
 * seconds. Each node records for itself which members come and go. Other events are published to
 * all nodes by the node where they happen.
 *
 * <p>Threads: the gossip driver's, and one virtual thread that keeps this node's own metadata.
 */
public final class GossipMembership implements Membership {
  private static final Logger LOG = LoggerFactory.getLogger(GossipMembership.class);
  private static final JsonMapper JSON = JsonMapper.shared();

  /** The time between two comparisons of the own metadata with what the others have. */
  private static final Duration METADATA_CHECK_INTERVAL = Duration.ofMillis(500);

  private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(3);

  /** The time between two load reports; more in a large cluster, so that their sum is bounded. */
  private static final long REPORT_MILLIS = 2_000;

  private static final long REPORT_MILLIS_PER_MEMBER = 20;

  private final Supplier<MemberMetadata> self;
  private final GossipEventHandler handler;
  private final Gossip gossip;
  private final Thread metadataThread;
  private final Map<NodeId, DecodedMetadata> metadataByNode = new ConcurrentHashMap<>();

  /** The metadata that the others have of this node, without figures; of the metadata thread. */
  private @Nullable MemberMetadata published;

  /** The metadata of a member, and the bytes that it was read from. */
  private record DecodedMetadata(byte[] encoded, MemberMetadata decoded) {}

  private GossipMembership(
      Supplier<MemberMetadata> self, GossipEventHandler handler, Gossip gossip) {
    this.self = self;
    this.handler = handler;
    this.gossip = gossip;
    this.metadataThread =
        Thread.ofVirtual().name("cluster-metadata").unstarted(this::maintainMetadata);
  }

  /**
   * @param self this node's metadata, read again twice a second
   * @param settings with the encoded metadata, see {@link #encode}
   * @throws ClusterStartException when the port is taken
   */
  public static GossipMembership start(
      Supplier<MemberMetadata> self,
      ClusterEventLog events,
      GossipSettings settings,
      MeterRegistry meters)
      throws ClusterStartException {
    try {
      GossipEventHandler handler = new GossipEventHandler(() -> self.get().nodeId(), events);
      Gossip gossip = Gossip.start(settings, handler, meters);
      GossipMembership membership = new GossipMembership(self, handler, gossip);
      membership.metadataThread.start();
      return membership;
    } catch (IOException e) {
      throw ClusterStartException.ofEnvironment(
          "cluster.port: cannot listen on %s (%s); is another node running there?"
              .formatted(settings.bind(), e.getMessage()),
          e);
    }
  }

  /** Encodes metadata without the figures that are broadcast. */
  public static byte[] encode(MemberMetadata metadata) {
    return JSON.writeValueAsBytes(metadata.with(metadata.load().withoutFigures()));
  }

  /** The zone in encoded metadata; empty when they are not readable. */
  public static String zone(byte[] metadata) {
    return decode(metadata).map(MemberMetadata::zone).orElse("");
  }

  @Override
  public List<Member> members() {
    List<Member> members = new ArrayList<>();
    for (GossipMember member : gossip.members()) {
      Presence presence = presence(member.state());
      metadataOf(member.node())
          .ifPresent(m -> members.add(new Member(m, presence, member.lastSeenMillis())));
    }
    return members;
  }

  @Override
  public boolean awaitsMetadata() {
    return gossip.members().stream()
        .filter(m -> m.state() == MemberState.ALIVE)
        .anyMatch(m -> metadataOf(m.node()).isEmpty());
  }

  @Override
  public Optional<String> joinFailure() {
    List<String> unauthenticated = gossip.unauthenticatedSeeds();
    if (unauthenticated.isEmpty()) return Optional.empty();
    return Optional.of(
        "cluster.secret: %s have another secret, or another cluster.name; give all nodes the same"
            .formatted(unauthenticated));
  }

  @Override
  public Optional<String> idConflict() {
    return handler.idConflict();
  }

  @Override
  public void broadcast(ClusterEvent event) {
    byte[] bytes = new ClusterBroadcast.EventNotice(event).encode();
    if (bytes.length <= ClusterEvent.MAX_BYTES) gossip.broadcast(bytes);
    else LOG.debug("event=cluster_event_too_long type={} bytes={}", event.type(), bytes.length);
  }

  @Override
  public void replaceSecrets(ClusterConfig changed) {
    gossip.replaceKeys(GossipConfigMapper.keyRing(changed));
  }

  @Override
  public void leave() throws InterruptedException {
    metadataThread.interrupt(); // the leave is the last message about this node
    gossip.leave(LEAVE_TIMEOUT);
  }

  @Override
  public void close() {
    metadataThread.interrupt();
    gossip.close();
  }

  private void maintainMetadata() {
    long nextReport = System.nanoTime();
    try {
      while (true) {
        boolean isDue = System.nanoTime() - nextReport >= 0;
        if (isDue) {
          long pause = Math.max(REPORT_MILLIS, REPORT_MILLIS_PER_MEMBER * gossip.peerCount());
          nextReport = System.nanoTime() + Duration.ofMillis(pause).toNanos();
        }
        publishMetadata(isDue);
        Thread.sleep(METADATA_CHECK_INTERVAL);
      }
    } catch (InterruptedException e) {
      LOG.debug("event=cluster_metadata_ended");
    }
  }

  /** One failure must not end the thread: the others would never see this node as ready. */
  private void publishMetadata(boolean isReportDue) {
    try {
      MemberMetadata current = self.get();
      MemberMetadata lasting = current.with(current.load().withoutFigures());
      if (!lasting.equals(published) && gossip.updateMetadata(encode(current))) published = lasting;
      if (!isReportDue) return;
      gossip.broadcast(new ClusterBroadcast.LoadReport(current.load()).encode());
      dropForgottenMembers();
    } catch (RuntimeException e) {
      LOG.warn("event=cluster_metadata_not_published reason=\"{}\"", e.toString());
    }
  }

  /** Drops all that is kept of nodes that gossip itself has forgotten. */
  private void dropForgottenMembers() {
    Set<NodeId> known =
        gossip.members().stream().map(m -> m.node().id()).collect(Collectors.toSet());
    handler.retainLoads(known);
    metadataByNode.keySet().retainAll(known);
  }

  private Optional<MemberMetadata> metadataOf(SwimMember node) {
    byte[] encoded = node.metadata().bytes();
    DecodedMetadata known = metadataByNode.get(node.id());
    if (known == null || !Arrays.equals(known.encoded, encoded)) {
      Optional<MemberMetadata> read =
          decode(encoded).filter(m -> m.nodeId().equals(node.id().value()));
      if (read.isPresent()) {
        known = new DecodedMetadata(encoded, read.get());
        metadataByNode.put(node.id(), known);
      } else if (known == null) {
        return Optional.empty(); // still on its way; former metadata are better than none
      }
    }
    MemberMetadata metadata = known.decoded;
    return Optional.of(
        handler
            .load(node.id())
            .map(figures -> metadata.with(metadata.load().withFiguresOf(figures)))
            .orElse(metadata));
  }

  /** Decodes metadata of another node; empty when they lack a field or are no metadata. */
  static Optional<MemberMetadata> decode(byte[] metadata) {
    if (metadata.length == 0) return Optional.empty();
    try {
      return Optional.ofNullable(JSON.readValue(metadata, MemberMetadata.class));
    } catch (JacksonException e) {
      LOG.debug("event=cluster_metadata_unreadable reason=\"{}\"", e.getMessage());
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
}
