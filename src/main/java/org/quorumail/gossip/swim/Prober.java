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
import org.quorumail.gossip.swim.SwimMessage.Suspect;

/**
 * Asking members whether they are there, and asking for others.
 *
 * <p>One probe: ping; at half the direct time-out once more; at the time-out through helpers and
 * over a stream; half-way to the window's end through other helpers; at its end it has failed. The
 * repetitions cost nothing while answers come and make a lossy network look like a slow one, not
 * like a dead member.
 */
final class Prober {
  /** Pings on others' behalf at a time; more are not answered and cost their askers a nack. */
  private static final int MAX_INDIRECT_PINGS = 1_024;

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
    final Ending ending;
    final Set<NodeId> helpers = new HashSet<>();
    final Set<NodeAddress> nacks = new HashSet<>();
    int nacksExpected;
    int pings;
    TimerQueue.@Nullable Timer timer;

    Probe(SwimMember target, @Nullable SwimMessage news, Ending ending) {
      this.target = target;
      this.accusation = news;
      this.ending = ending;
      probes.put(sequence, this);
    }

    void ping() {
      pings++;
      Ping ping = new Ping(sequence, target.id(), target.incarnation(), context.self.id());
      SwimMessage told = accusation != null ? accusation : accusationFor(target);
      if (told == null) context.send(target.address(), ping);
      else context.send(target.address(), told, ping);
    }

    void schedule(long at, Runnable step) {
      timer = context.timers.set(at, step);
    }

    void end(boolean answered) {
      probes.remove(sequence);
      if (timer != null) context.timers.cancel(timer);
      ending.of(this, answered);
    }
  }

  private interface Ending {
    void of(Probe probe, boolean answered);
  }

  private record IndirectPing(NodeAddress asker, long sequence) {}

  Prober(SwimContext node, MemberTransitions views, LocalMember ownWord) {
    this.context = node;
    this.transitions = views;
    this.localMember = ownWord;
  }

  /** The whole probe, ending in trust or accusation; with news for the member, if any. */
  void probe(SwimMember member, @Nullable SwimMessage news) {
    int timeout = context.health.scale(context.config.probeTimeout());
    int window = context.health.scale(context.config.probeWindow());
    Probe probe = new Probe(member, news, this::onProbeEnded);
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

  /** Without helpers: a suspect's last chance, a dead member's first. */
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
    // helpers that report back prove that this node is heard; it may believe itself then
    boolean isHeard = probe.nacksExpected > 0 && probe.nacks.size() >= probe.nacksExpected;
    if (!isHeard) context.adjustHealth(1);
    transitions.onProbeFailed(probe.target.id());
  }

  private void probeIndirectly(Probe probe, int window, boolean first) {
    probe.ping();
    // a quarter is for the way there and back, or every nack would come too late
    PingReq request =
        new PingReq(probe.sequence, probe.target, context.self.id(), window - window / 4);
    List<SwimMember> asked = new ArrayList<>();
    for (int i = 0; i < context.config.indirectProbes(); i++) {
      SwimMember helper =
          context.table.randomLive(
              context.random,
              n -> !n.id().equals(probe.target.id()) && !probe.helpers.contains(n.id()));
      if (helper == null) break;
      asked.add(helper);
      probe.helpers.add(helper.id());
      if (first) probe.nacksExpected++;
    }
    for (SwimMember helper : asked) context.send(helper.address(), request);
    if (first) {
      Ping ping =
          new Ping(
              probe.sequence, probe.target.id(), probe.target.incarnation(), context.self.id());
      context.sendOverStream(probe.target.address(), ping);
    }
  }

  /** Lifeguard's buddy system: whoever is talked about hears it from the next one to ping it. */
  private @Nullable SwimMessage accusationFor(SwimMember target) {
    MemberState state = context.table.state(target.id());
    if (state == MemberState.DEAD) {
      return new Dead(target.id(), target.incarnation(), context.self.id());
    }
    Suspect accusation = transitions.accusationOf(target);
    return accusation;
  }

  // ---- messages

  /** Answers where it was asked, and says more when the prober's picture of this node is old. */
  void onPing(Ping ping, NodeAddress from, boolean reliable) {
    if (!ping.target().equals(context.self.id())) return;
    if (ping.incarnation() > context.self.incarnation())
      localMember.onHigherIncarnation(ping.incarnation());
    Ack ack = new Ack(ping.sequence());
    if (reliable) context.sendOverStream(from, ack);
    else if (ping.incarnation() < context.self.incarnation()) {
      context.send(from, ack, new Alive(context.self));
    } else context.send(from, ack);
  }

  void onPingReq(PingReq request, NodeAddress from) {
    if (indirectPings.size() >= MAX_INDIRECT_PINGS
        || request.target().id().equals(context.self.id())) return;
    long sequence = context.nextSequence();
    IndirectPing relay = new IndirectPing(from, request.sequence());
    indirectPings.put(sequence, relay);
    SwimMember target = request.target();
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
    // a late answer is still worth passing on, until nobody can be waiting
    context.timers.set(context.now + 2L * window, () -> indirectPings.remove(sequence));
  }

  void onAck(Ack ack) {
    IndirectPing relay = indirectPings.remove(ack.sequence());
    if (relay != null) {
      context.send(relay.asker(), new Ack(relay.sequence()));
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
