package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Send;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;

/** One core among neighbours that the test plays, with a time that the test sets. */
final class PlumtreeFixture {
  static final NodeId SELF = new NodeId("self");
  static final NodeId A = new NodeId("a");
  static final NodeId B = new NodeId("b");
  static final NodeId C = new NodeId("c");
  static final NodeId ORIGIN = new NodeId("origin");

  final PlumtreeCounters counters = new PlumtreeCounters();
  final Plumtree core;
  long now = 1_000;

  PlumtreeFixture(PlumtreeConfig config, NodeId... members) {
    core = new Plumtree(SELF, "", 1, config, new SplittableRandom(1), counters, now);
    core.reconcile(hashRing(members), now);
  }

  /** A core among a, b, c and the origin of their messages, with the documented defaults. */
  PlumtreeFixture() {
    this(PlumtreeConfig.standard(), A, B, C, ORIGIN);
  }

  static HashRing hashRing(NodeId... members) {
    Map<NodeId, String> all = new TreeMap<>();
    for (NodeId id : members) all.put(id, "");
    all.put(SELF, "");
    return HashRing.of(all);
  }

  List<PlumtreeEffect> from(NodeId peer, PlumtreeMessage message) {
    return core.onMessage(peer, message, now);
  }

  List<PlumtreeEffect> gossip(NodeId peer, long sequence) {
    return from(peer, message(sequence, 0));
  }

  List<PlumtreeEffect> ihave(NodeId peer, long sequence) {
    return from(peer, new IHave(List.of(new Announcement(TreeId.of(ORIGIN), id(sequence), 1))));
  }

  static Gossip message(long sequence, int hop) {
    return new Gossip(TreeId.of(ORIGIN), id(sequence), hop, new byte[] {(byte) sequence});
  }

  static BroadcastId id(long sequence) {
    return new BroadcastId(ORIGIN, 7, sequence);
  }

  /** Lets time pass, with every tick that is due on the way. */
  List<PlumtreeEffect> pass(long millis) {
    List<PlumtreeEffect> all = new ArrayList<>();
    long end = now + millis;
    while (core.nextDeadline() <= end) {
      now = Math.max(now, core.nextDeadline());
      all.addAll(core.tick(now));
    }
    now = end;
    return all;
  }

  BroadcastId broadcast() {
    return switch (core.broadcast(new byte[] {1}, now)) {
      case BroadcastResult.Accepted r -> r.id();
      case BroadcastResult.Degraded r -> r.id();
      case BroadcastResult.Rejected r -> throw new AssertionError(r);
    };
  }

  static <T> List<T> only(Class<T> type, List<PlumtreeEffect> effects) {
    return effects.stream().filter(type::isInstance).map(type::cast).toList();
  }

  /** Messages of a type that go to a neighbour. */
  static <T extends PlumtreeMessage> List<T> sent(
      Class<T> type, NodeId to, List<PlumtreeEffect> effects) {
    return effects.stream()
        .map(effect -> effect instanceof Send send && send.to().equals(to) ? send.message() : null)
        .filter(type::isInstance)
        .map(type::cast)
        .toList();
  }

  /** The receiver of the first message of a type. */
  static <T extends PlumtreeMessage> Optional<NodeId> receiver(
      Class<T> type, List<PlumtreeEffect> effects) {
    return only(Send.class, effects).stream()
        .filter(send -> type.isInstance(send.message()))
        .map(Send::to)
        .findFirst();
  }
}
