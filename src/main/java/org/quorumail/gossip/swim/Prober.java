package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Ack;
import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Dead;
import org.quorumail.gossip.swim.SwimMessage.Nack;
import org.quorumail.gossip.swim.SwimMessage.Ping;
import org.quorumail.gossip.swim.SwimMessage.PingReq;

/**
 * The probes of members, on this node's behalf and on that of others.
 *
 * <p>A probe starts with a ping, and repeats it at half the direct time-out. At the time-out it
 * pings through helpers and over a stream, and half-way to the window's end through other helpers.
 * At the window's end the probe has failed. The repetitions cost nothing while acks come. They make
 * a lossy network look like a slow one, not like a dead member.
 */
final class Prober {
  /** Indirect pings at a time; a helper ignores further requests, which costs the asker a nack. */
  private static final int MAX_INDIRECT_PINGS = 1_024;

  /** The share of the requested window after which a helper sends its nack. */
  private static final double NACK_SHARE = 0.8;

  private final SwimContext context;
  private final MemberTransitions transitions;
  private final LocalMember localMember;
  private final Map<Long, Probe> probes = new HashMap<>();
  private final Map<Long, IndirectPing> indirectPings = new HashMap<>();

  private final class Probe {
    final long sequence = context.nextSequence();
    final SwimMember target;
    final long start = context.now;
    final @Nullable SwimMessage accusation;
    final Completion completion;
    final Set<NodeId> helpers = new HashSet<>();
    final Set<NodeAddress> nacks = new HashSet<>();
    int nacksExpected;
    int pings;
    TimerQueue.@Nullable Timer timer;

    Probe(SwimMember target, @Nullable SwimMessage accusation, Completion completion) {
      this.target = target;
      this.accusation = accusation;
      this.completion = completion;
      probes.put(sequence, this);
    }

    void ping() {
      pings++;
      SwimMessage news = accusation != null ? accusation : accusationFor(target);
      if (news == null) context.send(target.address(), message());
      else context.send(target.address(), news, message());
    }

    Ping message() {
      return new Ping(sequence, target.id(), target.incarnation(), context.self.id());
    }

    void schedule(long at, Runnable step) {
      timer = context.timers.set(at, step);
    }

    void end(boolean answered) {
      probes.remove(sequence);
      if (timer != null) context.timers.cancel(timer);
      completion.ended(this, answered);
    }
  }

  private interface Completion {
    void ended(Probe probe, boolean answered);
  }

  /** A ping for another node, to which the ack is passed on. */
  private record IndirectPing(NodeAddress asker, long sequence) {}

  Prober(SwimContext context, MemberTransitions transitions, LocalMember localMember) {
    this.context = context;
    this.transitions = transitions;
    this.localMember = localMember;
  }

  /**
   * Starts a whole probe, which ends in trust or accusation.
   *
   * @param accusation to send to the member with the pings; null: the one that this node knows
   */
  void probe(SwimMember member, @Nullable SwimMessage accusation) {
    int timeout = context.health.scale(context.config.probeTimeout());
    int window = context.health.scale(context.config.probeWindow());
    Probe probe = new Probe(member, accusation, this::onProbeEnded);
    probe.ping();
    long start = probe.start;
    probe.schedule(
        start + timeout / 2,
        () -> {
          probe.ping();
          probe.schedule(
              start + timeout,
              () -> {
                probeIndirectly(probe, window - timeout, true);
                int half = (window - timeout) / 2;
                probe.schedule(
                    start + timeout + half,
                    () -> {
                      probeIndirectly(probe, window - timeout - half, false);
                      probe.schedule(start + window, () -> probe.end(false));
                    });
              });
        });
  }

  /** Starts a probe without helpers: a suspect's last chance, or a dead member's first. */
  void probeDirectly(SwimMember member, int window, Consumer<Boolean> result) {
    Probe probe = new Probe(member, null, (ended, answered) -> result.accept(answered));
    probe.ping();
    probe.schedule(
        probe.start + window / 2,
        () -> {
          probe.ping();
          probe.schedule(probe.start + window, () -> probe.end(false));
        });
  }

  private void onProbeEnded(Probe probe, boolean answered) {
    if (answered) {
      context.adjustHealth(-1);
      return;
    }
    // nacks from all helpers prove that this node can send and receive: it may trust its probe
    boolean isReachable = probe.nacksExpected > 0 && probe.nacks.size() >= probe.nacksExpected;
    if (!isReachable) context.adjustHealth(1);
    transitions.onProbeFailed(probe.target.id());
  }

  private void probeIndirectly(Probe probe, int window, boolean first) {
    probe.ping();
    // a quarter is for the network, or every nack would come too late
    PingReq request =
        new PingReq(probe.sequence, probe.target, context.self.id(), window - window / 4);
    List<SwimMember> helpers = new ArrayList<>();
    for (int i = 0; i < context.config.indirectProbes(); i++) {
      SwimMember helper =
          context.table.randomLive(
              context.random,
              n -> !n.id().equals(probe.target.id()) && !probe.helpers.contains(n.id()));
      if (helper == null) break;
      helpers.add(helper);
      probe.helpers.add(helper.id());
      if (first) probe.nacksExpected++;
    }
    for (SwimMember helper : helpers) context.send(helper.address(), request);
    if (first) context.sendOverStream(probe.target.address(), probe.message());
  }

  /** Lifeguard's buddy system: a suspect learns of its suspicion from the next node to ping it. */
  private @Nullable SwimMessage accusationFor(SwimMember target) {
    MemberState state = context.table.state(target.id());
    if (state == MemberState.DEAD) {
      return new Dead(target.id(), target.incarnation(), context.self.id());
    }
    return transitions.accusationOf(target);
  }

  // ---- messages

  /** Sends the ack to the ping's sender, and this node's description if the prober's is old. */
  void onPing(Ping ping, NodeAddress from, boolean reliable) {
    if (!context.isSelf(ping.target())) return;
    if (ping.incarnation() > context.self.incarnation()) {
      localMember.onHigherIncarnation(ping.incarnation());
    }
    Ack ack = new Ack(ping.sequence());
    if (reliable) {
      context.sendOverStream(from, ack);
    } else if (ping.incarnation() < context.self.incarnation()) {
      context.send(from, ack, new Alive(context.self));
    } else {
      context.send(from, ack);
    }
  }

  void onPingReq(PingReq request, NodeAddress from) {
    SwimMember target = request.target();
    if (indirectPings.size() >= MAX_INDIRECT_PINGS || context.isSelf(target.id())) return;
    long sequence = context.nextSequence();
    indirectPings.put(sequence, new IndirectPing(from, request.sequence()));
    Ping ping = new Ping(sequence, target.id(), target.incarnation(), context.self.id());
    context.send(target.address(), ping);
    int window = request.windowMillis();
    context.timers.set(
        context.now + (int) (window * NACK_SHARE / 2),
        () -> {
          if (indirectPings.containsKey(sequence)) context.send(target.address(), ping);
        });
    context.timers.set(
        context.now + (int) (window * NACK_SHARE),
        () -> {
          if (indirectPings.containsKey(sequence)) context.send(from, new Nack(request.sequence()));
        });
    // a late ack is still worth passing on, until the prober's window must be over
    context.timers.set(context.now + 2L * window, () -> indirectPings.remove(sequence));
  }

  void onAck(Ack ack) {
    IndirectPing indirect = indirectPings.remove(ack.sequence());
    if (indirect != null) {
      context.send(indirect.asker(), new Ack(indirect.sequence()));
      return;
    }
    Probe probe = probes.get(ack.sequence());
    if (probe == null) return;
    if (probe.pings == 1) {
      context.emit(new SwimEffect.RoundTrip(probe.target.id(), context.now - probe.start));
    }
    probe.end(true);
  }

  void onNack(Nack nack, NodeAddress from) {
    Probe probe = probes.get(nack.sequence());
    if (probe != null) probe.nacks.add(from);
  }
}
