package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.quorumail.gossip.NodeAddress;

/**
 * What the parts of one {@link Swim} share: itself, its view, what is to be told, what is to happen
 * later, and the effects of the event being handled.
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
    // answers to a former life's questions must not fit
    this.sequence = random.nextLong() & 0x3fff;
  }

  /** Members besides this node, and this node. */
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

  /** One datagram: these messages, and as many updates as still fit. */
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
    if (!messages.isEmpty()) emit(new SwimEffect.Send(to, new SwimPacket(messages), false));
  }

  void sendOverStream(NodeAddress to, SwimMessage message) {
    emit(new SwimEffect.Send(to, SwimPacket.of(message), true));
  }

  void adjustHealth(int points) {
    if (health.add(points)) emit(new SwimEffect.HealthScore(health.score()));
  }
}
