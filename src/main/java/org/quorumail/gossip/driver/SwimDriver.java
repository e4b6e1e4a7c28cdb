package org.quorumail.gossip.driver;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.Swim;
import org.quorumail.gossip.swim.SwimCodec;
import org.quorumail.gossip.swim.SwimEffect;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.Transport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The driver of the membership core: decodes its messages, performs its effects, and reports
 * members to the broadcasts and the delegate. Used by the gossip thread; {@code now} is in
 * milliseconds.
 *
 * <p>A message between drivers is one byte of kind and the bytes of the core's codec.
 */
public final class SwimDriver {
  public static final byte MESSAGE_KIND = 1;

  private static final Logger LOG = LoggerFactory.getLogger(SwimDriver.class);

  private final Swim swim;
  private final PlumtreeDriver broadcasts;
  private final MemberDirectory members;
  private final GossipMetrics metrics;
  private final DelegateDispatcher delegate;
  private final Transport transport;
  private final DatagramBatcher batcher;
  private Consumer<Integer> onLeft = acknowledged -> {};

  SwimDriver(
      Swim swim,
      PlumtreeDriver broadcasts,
      MemberDirectory members,
      GossipMetrics metrics,
      DelegateDispatcher delegate,
      Transport transport,
      DatagramBatcher batcher) {
    this.swim = swim;
    this.broadcasts = broadcasts;
    this.members = members;
    this.metrics = metrics;
    this.delegate = delegate;
    this.transport = transport;
    this.batcher = batcher;
  }

  long nextDeadline() {
    return swim.nextDeadline();
  }

  void tick(long now) {
    perform(swim.tick(now), now);
  }

  void handle(NodeAddress from, byte[] message, boolean reliable, long now) {
    ByteBuffer bytes = ByteBuffer.wrap(message, 1, message.length - 1).slice();
    switch (SwimCodec.decode(bytes)) {
      case SwimCodec.Decoded.Packet p -> perform(swim.handle(from, p.packet(), reliable, now), now);
      case SwimCodec.Decoded.Malformed m -> metrics.countMalformed(m.reason());
    }
  }

  void setDegraded(boolean isSick, long now) {
    swim.setSick(isSick, now);
  }

  void join(List<NodeAddress> seeds, long now) {
    perform(swim.join(seeds, now), now);
  }

  void updateMetadata(NodeMetadata metadata, long now) {
    perform(swim.updateMetadata(metadata, now), now);
  }

  /**
   * Leaves the cluster.
   *
   * @param completed called with the number of members that have acknowledged the leave
   */
  void leave(Consumer<Integer> completed, long now) {
    onLeft = completed;
    perform(swim.leave(now), now);
  }

  boolean remembers(NodeId id) {
    return swim.state(id).isPresent();
  }

  private void perform(List<SwimEffect> effects, long now) {
    for (SwimEffect effect : effects) {
      switch (effect) {
        case SwimEffect.Send send -> send(send);
        case SwimEffect.MemberUp up -> {
          put(up.member(), MemberState.ALIVE, now);
          delegate.dispatch(d -> d.onMemberUp(up.member()));
        }
        case SwimEffect.MemberUpdated updated -> {
          put(updated.member(), swim.state(updated.member().id()).orElse(MemberState.ALIVE), now);
          delegate.dispatch(d -> d.onMemberUpdated(updated.member()));
        }
        case SwimEffect.MemberSuspect suspect -> {
          members.put(suspect.member(), MemberState.SUSPECT);
          delegate.dispatch(d -> d.onMemberSuspect(suspect.member()));
        }
        case SwimEffect.MemberTrusted trusted -> {
          members.put(trusted.member(), MemberState.ALIVE);
          delegate.dispatch(d -> d.onMemberTrusted(trusted.member()));
        }
        case SwimEffect.MemberDown down -> {
          members.put(down.member(), MemberState.DEAD);
          broadcasts.memberDown(down.member().id(), now);
          delegate.dispatch(d -> d.onMemberDown(down.member()));
        }
        case SwimEffect.MemberLeft left -> {
          members.put(left.member(), MemberState.LEFT);
          broadcasts.memberDown(left.member().id(), now);
          delegate.dispatch(d -> d.onMemberLeft(left.member()));
        }
        case SwimEffect.Conflict conflict ->
            delegate.dispatch(d -> d.onConflict(conflict.known(), conflict.claimed()));
        case SwimEffect.Refuted refuted ->
            LOG.info("event=gossip_refuted incarnation={}", refuted.incarnation());
        case SwimEffect.HealthScore health -> metrics.setHealthScore(health.score());
        case SwimEffect.LeaveCompleted completed -> onLeft.accept(completed.acknowledged());
        case SwimEffect.Joined joined ->
            LOG.debug("event=gossip_joined seed={} member={}", joined.seed(), joined.member());
        case SwimEffect.RoundTrip trip -> LOG.trace("event=gossip_round_trip trip=\"{}\"", trip);
      }
    }
  }

  /** Records an alive or suspect member, which takes part in broadcasts. */
  private void put(SwimMember node, MemberState state, long now) {
    members.put(node, state);
    broadcasts.memberUp(node, now);
  }

  private void send(SwimEffect.Send send) {
    ByteBuffer bytes = SwimCodec.encode(send.packet());
    byte[] message = new byte[1 + bytes.remaining()];
    message[0] = MESSAGE_KIND;
    bytes.get(message, 1, message.length - 1);
    PeerAddress to = members.peer(send.to());
    if (send.reliable()) transport.sendOverStream(to, message);
    else batcher.add(to, message);
  }
}
