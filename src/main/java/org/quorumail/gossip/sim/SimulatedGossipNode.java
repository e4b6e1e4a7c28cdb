package org.quorumail.gossip.sim;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.Plumtree;
import org.quorumail.gossip.plumtree.PlumtreeCodec;
import org.quorumail.gossip.plumtree.PlumtreeEffect;
import org.quorumail.gossip.plumtree.PlumtreeMessage;
import org.quorumail.gossip.swim.SwimEffect;
import org.quorumail.gossip.swim.SwimPacket;

/**
 * One simulated node with both cores, joined as in the driver: Plumtree links to the members that
 * SWIM reports. Without SWIM the members stay as they were at the start.
 */
final class SimulatedGossipNode implements SimulatedNode {
  private final Simulation simulation;
  private final int index;
  private final Plumtree plumtree;
  private final PlumtreeCodec codec;
  private final @Nullable SimulatedSwimNode membership;
  private final BroadcastObserver observer;

  long bytes;

  /** An observer of sent and delivered payloads. */
  interface BroadcastObserver {
    void onSent(PlumtreeMessage.Gossip gossip);

    void onDelivered(int node, PlumtreeEffect.Deliver deliver);
  }

  SimulatedGossipNode(
      Simulation simulation,
      int index,
      Plumtree plumtree,
      PlumtreeCodec codec,
      @Nullable SimulatedSwimNode membership,
      BroadcastObserver observer) {
    this.simulation = simulation;
    this.index = index;
    this.plumtree = plumtree;
    this.codec = codec;
    this.membership = membership;
    this.observer = observer;
  }

  Plumtree plumtree() {
    return plumtree;
  }

  @Override
  public void deliver(int from, Object packet, boolean reliable, long localNow) {
    switch (packet) {
      case SwimPacket swimPacket -> {
        if (membership != null) membership.deliver(from, swimPacket, reliable, localNow);
      }
      case PlumtreeMessage message ->
          perform(plumtree.onMessage(SimulatedSwimNode.node(from, 0).id(), message, localNow));
      default -> throw new IllegalArgumentException("no packet of gossip: " + packet);
    }
  }

  @Override
  public void wake(long localNow) {
    if (membership != null && membership.nextDeadline() <= localNow) membership.wake(localNow);
    if (plumtree.nextDeadline() <= localNow) perform(plumtree.tick(localNow));
  }

  @Override
  public long nextDeadline() {
    long next = plumtree.nextDeadline();
    return membership == null ? next : Math.min(next, membership.nextDeadline());
  }

  /** Passes an effect of this node's membership to its Plumtree core. */
  void onMembershipEffect(SwimEffect effect) {
    long now = simulation.localTime(index);
    switch (effect) {
      case SwimEffect.MemberUp up ->
          perform(plumtree.neighbourUp(up.member().id(), zone(up.member().id()), now));
      case SwimEffect.MemberDown down -> perform(plumtree.neighbourDown(down.member().id(), now));
      case SwimEffect.MemberLeft left -> perform(plumtree.neighbourDown(left.member().id(), now));
      default -> {}
    }
  }

  private String zone(NodeId id) {
    return "zone-" + simulation.network.zone(SimulatedSwimNode.index(id));
  }

  void perform(List<PlumtreeEffect> effects) {
    for (PlumtreeEffect effect : effects) {
      switch (effect) {
        case PlumtreeEffect.Send send -> send(send);
        case PlumtreeEffect.Deliver deliver -> observer.onDelivered(index, deliver);
        default -> {}
      }
    }
  }

  private void send(PlumtreeEffect.Send send) {
    int to = SimulatedSwimNode.index(send.to());
    bytes += SimulatedSwimNode.HEADER_BYTES + codec.encode(send.message()).remaining();
    if (send.message() instanceof PlumtreeMessage.Gossip gossip) observer.onSent(gossip);
    if (simulation.isDown(to)) failConnection(send.to());
    else simulation.datagram(index, to, send.message());
  }

  /** Reports a crashed process after a round trip, as its kernel resets the connection. */
  private void failConnection(NodeId to) {
    simulation.at(
        simulation.now() + simulation.network.roundTrip(),
        () -> {
          if (simulation.isDown(index)) return;
          perform(plumtree.sendFailed(to, simulation.localTime(index)));
          simulation.schedule(index);
        });
  }
}
