package org.quorumail.gossip.net;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.MemberState;
import org.quorumail.gossip.Meta;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.Swim;
import org.quorumail.gossip.SwimCodec;
import org.quorumail.gossip.SwimEffect;
import org.quorumail.gossip.net.Transport.Peer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the core of membership: reads what arrives for it, carries out what it says, and tells the
 * broadcasts and the delegate who is there. Used by the gossip thread; {@code now} is milliseconds.
 *
 * <p>A message between drivers is one byte of kind and the core's own bytes.
 */
final class SwimDriver {
  static final byte KIND = 1;

  private static final Logger log = LoggerFactory.getLogger(SwimDriver.class);

  private final Swim swim;
  private final PlumtreeDriver broadcasts;
  private final MemberBook book;
  private final GossipMetrics metrics;
  private final DelegateThread delegate;
  private final Transport transport;
  private final Outbox outbox;
  private Consumer<Integer> onLeft = acknowledged -> {};

  SwimDriver(
      Swim swim,
      PlumtreeDriver broadcasts,
      MemberBook book,
      GossipMetrics metrics,
      DelegateThread delegate,
      Transport transport,
      Outbox outbox) {
    this.swim = swim;
    this.broadcasts = broadcasts;
    this.book = book;
    this.metrics = metrics;
    this.delegate = delegate;
    this.transport = transport;
    this.outbox = outbox;
  }

  long nextDeadline() {
    return swim.nextDeadline();
  }

  void tick(long now) {
    carryOut(swim.tick(now), now);
  }

  void handle(Address from, byte[] message, boolean reliable, long now) {
    ByteBuffer bytes = ByteBuffer.wrap(message, 1, message.length - 1).slice();
    switch (SwimCodec.decode(bytes)) {
      case SwimCodec.Decoded.Packet p ->
          carryOut(swim.handle(from, p.packet(), reliable, now), now);
      case SwimCodec.Decoded.Malformed m -> metrics.malformed(m.reason());
    }
  }

  void sick(boolean isSick, long now) {
    swim.sick(isSick, now);
  }

  void join(List<Address> seeds, long now) {
    carryOut(swim.join(seeds, now), now);
  }

  void updateMetadata(Meta metadata, long now) {
    carryOut(swim.updateMeta(metadata, now), now);
  }

  /**
   * @param completed told how many members have acknowledged the good-bye
   */
  void leave(Consumer<Integer> completed, long now) {
    onLeft = completed;
    carryOut(swim.leave(now), now);
  }

  boolean knows(NodeId id) {
    return swim.state(id).isPresent();
  }

  private void carryOut(List<SwimEffect> effects, long now) {
    for (SwimEffect effect : effects) {
      switch (effect) {
        case SwimEffect.Send send -> send(send);
        case SwimEffect.MemberUp up -> {
          put(up.node(), MemberState.ALIVE, now);
          delegate.tell(d -> d.onMemberUp(up.node()));
        }
        case SwimEffect.MemberUpdated updated -> {
          put(updated.node(), swim.state(updated.node().id()).orElse(MemberState.ALIVE), now);
          delegate.tell(d -> d.onMemberUpdated(updated.node()));
        }
        case SwimEffect.MemberSuspect suspect -> {
          book.put(suspect.node(), MemberState.SUSPECT);
          delegate.tell(d -> d.onMemberSuspect(suspect.node()));
        }
        case SwimEffect.MemberTrusted trusted -> {
          book.put(trusted.node(), MemberState.ALIVE);
          delegate.tell(d -> d.onMemberTrusted(trusted.node()));
        }
        case SwimEffect.MemberDown down -> {
          book.put(down.node(), MemberState.DEAD);
          broadcasts.memberGone(down.node().id(), now);
          delegate.tell(d -> d.onMemberDown(down.node()));
        }
        case SwimEffect.MemberLeft left -> {
          book.put(left.node(), MemberState.LEFT);
          broadcasts.memberGone(left.node().id(), now);
          delegate.tell(d -> d.onMemberLeft(left.node()));
        }
        case SwimEffect.Conflict conflict ->
            delegate.tell(d -> d.onConflict(conflict.known(), conflict.claimed()));
        case SwimEffect.Refuted refuted ->
            log.info("gossip_refuted incarnation={}", refuted.incarnation());
        case SwimEffect.HealthScore health -> metrics.healthScore(health.score());
        case SwimEffect.LeaveCompleted completed -> onLeft.accept(completed.acknowledged());
        case SwimEffect.Joined joined ->
            log.debug("gossip_joined seed={} member={}", joined.seed(), joined.member());
        case SwimEffect.RoundTrip trip -> log.trace("gossip_round_trip {}", trip);
      }
    }
  }

  /** A member that is there takes part in broadcasts. */
  private void put(Node node, MemberState state, long now) {
    book.put(node, state);
    broadcasts.memberThere(node, now);
  }

  private void send(SwimEffect.Send send) {
    ByteBuffer bytes = SwimCodec.encode(send.packet());
    byte[] message = new byte[1 + bytes.remaining()];
    message[0] = KIND;
    bytes.get(message, 1, message.length - 1);
    Peer to = book.peer(send.to());
    if (send.reliable()) transport.sendReliably(to, message);
    else outbox.add(to, message);
  }
}
