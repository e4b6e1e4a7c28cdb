package org.quorumail.gossip.sim;

import java.util.List;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.Swim;
import org.quorumail.gossip.swim.SwimCodec;
import org.quorumail.gossip.swim.SwimConfig;
import org.quorumail.gossip.swim.SwimEffect;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.swim.SwimMessage;
import org.quorumail.gossip.swim.SwimPacket;

/** One simulated node's membership, which performs the effects of {@link Swim} and counts them. */
final class SimulatedSwimNode implements SimulatedNode {
  /** The IPv4 and UDP headers, which the bars count too. */
  static final int HEADER_BYTES = 28;

  private static final int PORT = 7946;

  private final Simulation simulation;
  private final int index;
  private final EffectObserver observer;
  private final Swim swim;
  private final long previousHighest;

  long datagrams;
  long datagramBytes;
  long streamBytes;

  /** An observer of the effects of a node's core. */
  interface EffectObserver {
    void onEffect(int observer, SwimEffect effect);
  }

  /**
   * @param highest at least the highest incarnation of this node's previous runs
   */
  SimulatedSwimNode(
      Simulation simulation, int index, long highest, SwimConfig config, EffectObserver observer) {
    this.simulation = simulation;
    this.index = index;
    this.observer = observer;
    this.previousHighest = highest;
    this.swim =
        new Swim(config, node(index, 0), simulation.randomSource(), simulation.localTime(index));
  }

  static SwimMember node(int index, long incarnation) {
    return new SwimMember(
        new NodeId("node-" + index), address(index), incarnation, NodeMetadata.EMPTY);
  }

  static NodeAddress address(int index) {
    return NodeAddress.ipv4(0x0a000000 + index, PORT);
  }

  static int index(NodeAddress address) {
    return (int) address.low() - 0x0a000000;
  }

  static int index(NodeId id) {
    return Integer.parseInt(id.value(), 5, id.value().length(), 10);
  }

  /** The highest incarnation that this node has had in any run. */
  long highestIncarnation() {
    return Math.max(previousHighest, swim.self().incarnation());
  }

  Swim swim() {
    return swim;
  }

  @Override
  public void deliver(int from, Object packet, boolean reliable, long localNow) {
    perform(swim.handle(address(from), (SwimPacket) packet, reliable, localNow));
  }

  @Override
  public void wake(long localNow) {
    perform(swim.tick(localNow));
  }

  @Override
  public long nextDeadline() {
    return swim.nextDeadline();
  }

  /** Performs effects, of the network's events or of the scenario's. */
  void perform(List<SwimEffect> effects) {
    for (SwimEffect effect : effects) {
      if (effect instanceof SwimEffect.Send send) send(send);
      else observer.onEffect(index, effect);
    }
  }

  private void send(SwimEffect.Send send) {
    int to = index(send.to());
    int bytes = SwimCodec.size(send.packet());
    if (send.reliable()) {
      streamBytes += bytes;
      simulation.stream(index, to, send.packet(), isAnswer(send.packet()));
    } else {
      datagrams++;
      datagramBytes += bytes + HEADER_BYTES;
      simulation.datagram(index, to, send.packet());
    }
  }

  private static boolean isAnswer(SwimPacket packet) {
    return switch (packet.messages().getFirst()) {
      case SwimMessage.Ack ack -> true;
      case SwimMessage.PushPullResponse response -> true;
      case SwimMessage.PushPullRows rows -> true;
      case SwimMessage.MetadataResponse reply -> true;
      default -> false;
    };
  }
}
