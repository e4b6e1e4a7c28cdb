package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;

/**
 * The state that the parts of one {@link Swim} share: this node, its view of the others, pending
 * updates, timers, and the effects of the current event.
 */
final class SwimContext {
  final SwimConfig config;
  final RandomGenerator random;
  final MemberTable table;
  final UpdateQueue updates = new UpdateQueue();
  final TimerQueue timers = new TimerQueue();
  final LocalHealth health;

  SwimMember self;
  long now;
  private long sequence;
  private List<SwimEffect> effects = List.of();

  SwimContext(SwimConfig config, SwimMember self, RandomGenerator random, long now) {
    this.config = config;
    this.self = self;
    this.table = new MemberTable(self.id());
    this.random = random;
    this.now = now;
    this.health = new LocalHealth(config.maxHealthScore());
    // a late ack to a former life's ping must not match a new one
    this.sequence = random.nextLong() & 0x3fff;
  }

  boolean isSelf(NodeId id) {
    return id.equals(self.id());
  }

  /** The alive and suspect members and this node. */
  int clusterSize() {
    return table.live() + 1;
  }

  long nextSequence() {
    return ++sequence;
  }

  void emit(SwimEffect effect) {
    if (effects.isEmpty()) effects = new ArrayList<>(4);
    effects.add(effect);
  }

  List<SwimEffect> takeEffects() {
    List<SwimEffect> taken = effects;
    effects = List.of();
    return taken;
  }

  /** Sends one datagram: these messages, then as many pending updates as fit. */
  void send(NodeAddress to, SwimMessage... first) {
    List<SwimMessage> messages = new ArrayList<>(first.length + 2);
    int size = SwimCodec.HEADER_BYTES;
    for (SwimMessage message : first) {
      messages.add(message);
      size += SwimCodec.size(message);
    }
    if (!updates.isEmpty()) {
      updates.fill(messages, config.packetBytes() - size, config.retransmitLimit(clusterSize()));
    }
    if (messages.isEmpty()) return;
    SwimPacket packet = new SwimPacket(messages);
    assert SwimCodec.size(packet) <= config.packetBytes() : "datagram too long: " + packet;
    emit(new SwimEffect.Send(to, packet, false));
  }

  void sendOverStream(NodeAddress to, SwimMessage message) {
    emit(new SwimEffect.Send(to, SwimPacket.of(message), true));
  }

  void adjustHealth(int points) {
    if (health.add(points)) emit(new SwimEffect.HealthScore(health.score()));
  }
}
