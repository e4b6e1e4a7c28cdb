package org.quorumail.gossip.sim;

import java.util.List;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.Meta;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.Swim;
import org.quorumail.gossip.SwimCodec;
import org.quorumail.gossip.SwimConfig;
import org.quorumail.gossip.SwimEffect;
import org.quorumail.gossip.SwimMessage;
import org.quorumail.gossip.SwimPacket;

/** One node's membership in the simulation: carries out {@link Swim}'s effects and counts them. */
final class SwimHost implements Host {
  /** IPv4 and UDP headers, which the bars count. */
  static final int HEADER_BYTES = 28;

  private static final int PORT = 7946;

  private final Simulation simulation;
  private final int index;
  private final Observer observer;
  private final Swim swim;
  private final long highest;

  long datagrams;
  long datagramBytes;
  long streamBytes;

  /** Sees what a node tells its driver. */
  interface Observer {
    void seen(int observer, SwimEffect effect);
  }

  /**
   * @param highest no lower than any incarnation of this node's former lives
   */
  SwimHost(Simulation simulation, int index, long highest, SwimConfig config, Observer observer) {
    this.simulation = simulation;
    this.index = index;
    this.observer = observer;
    this.highest = highest;
    this.swim =
        new Swim(config, node(index, 0), simulation.randomSource(), simulation.localTime(index));
  }

  static Node node(int index, long incarnation) {
    return new Node(new NodeId("node-" + index), address(index), incarnation, Meta.EMPTY);
  }

  static Address address(int index) {
    return Address.ipv4(0x0a000000 + index, PORT);
  }

  static int index(Address address) {
    return (int) address.low() - 0x0a000000;
  }

  static int index(NodeId id) {
    return Integer.parseInt(id.value(), 5, id.value().length(), 10);
  }

  /** The highest incarnation that this node ever had, in any of its lives. */
  long highestIncarnation() {
    return Math.max(highest, swim.self().incarnation());
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

  /** For events that come from the scenario rather than from the network. */
  void perform(List<SwimEffect> effects) {
    for (SwimEffect effect : effects) {
      if (effect instanceof SwimEffect.Send send) send(send);
      else observer.seen(index, effect);
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
      case SwimMessage.MetaReply reply -> true;
      default -> false;
    };
  }
}
