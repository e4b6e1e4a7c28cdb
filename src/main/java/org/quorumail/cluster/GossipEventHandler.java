package org.quorumail.cluster;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.cluster.MemberMetadata.NodeLoad;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.driver.GossipDelegate;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.swim.SwimMember;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The receiver of gossip's notifications: members that come and go become {@link ClusterEvent}s,
 * broadcasts become events or the load of their sender. Called by the driver's delegate thread;
 * read by any thread.
 */
final class GossipEventHandler implements GossipDelegate {
  private static final Logger LOG = LoggerFactory.getLogger(GossipEventHandler.class);

  private final Supplier<String> selfId;
  private final ClusterEventLog events;
  private final Map<NodeId, NodeLoad> loads = new ConcurrentHashMap<>();
  private volatile @Nullable String idConflict;

  GossipEventHandler(Supplier<String> selfId, ClusterEventLog events) {
    this.selfId = selfId;
    this.events = events;
  }

  /** The last reported load of a node. */
  Optional<NodeLoad> load(NodeId node) {
    return Optional.ofNullable(loads.get(node));
  }

  void retainLoads(Set<NodeId> known) {
    loads.keySet().retainAll(known);
  }

  Optional<String> idConflict() {
    return Optional.ofNullable(idConflict);
  }

  @Override
  public void onMemberUp(SwimMember node) {
    LOG.info("event=cluster_member_joined node={} address={}", node.id(), node.address());
    addEvent("NodeJoined", node);
  }

  @Override
  public void onMemberSuspect(SwimMember node) {
    LOG.info("event=cluster_member_suspect node={}", node.id());
  }

  @Override
  public void onMemberTrusted(SwimMember node) {
    LOG.info("event=cluster_member_trusted node={}", node.id());
  }

  @Override
  public void onMemberDown(SwimMember node) {
    LOG.warn("event=cluster_member_failed node={} address={}", node.id(), node.address());
    addEvent("NodeFailed", node);
  }

  @Override
  public void onMemberLeft(SwimMember node) {
    LOG.info("event=cluster_member_left node={}", node.id());
    addEvent("NodeLeft", node);
  }

  @Override
  public void onConflict(SwimMember known, NodeAddress claimed) {
    LOG.error(
        "event=cluster_id_conflict node={} address={} also_at={}",
        known.id(),
        known.address(),
        claimed);
    if (known.id().value().equals(selfId.get())) {
      idConflict =
          "node.id: two nodes call themselves %s (%s and %s); give each its own"
              .formatted(known.id(), known.address(), claimed);
    }
  }

  @Override
  public void onDeliver(BroadcastId id, byte[] payload) {
    switch (ClusterBroadcast.decode(payload).orElse(null)) {
      case ClusterBroadcast.LoadReport report -> loads.put(id.origin(), report.load());
      case ClusterBroadcast.EventNotice notice -> {
        ClusterEvent event = notice.event();
        // only the origin of a broadcast is authenticated: nobody speaks for another node
        if (event.node().equals(id.origin().value())) events.add(event);
      }
      case null -> LOG.debug("event=cluster_broadcast_unknown from={}", id.origin());
    }
  }

  private void addEvent(String type, SwimMember node) {
    Map<String, String> details =
        Map.of("subject", node.id().value(), "address", node.address().toString());
    events.add(new ClusterEvent(Instant.now().toString(), selfId.get(), type, details));
  }
}
