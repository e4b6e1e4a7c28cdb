package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.SwimMessage.Ack;
import org.quorumail.gossip.SwimMessage.Alive;
import org.quorumail.gossip.SwimMessage.Dead;
import org.quorumail.gossip.SwimMessage.Nack;
import org.quorumail.gossip.SwimMessage.Ping;
import org.quorumail.gossip.SwimMessage.PingReq;
import org.quorumail.gossip.SwimMessage.Suspect;

/**
 * Asking members whether they are there, and asking for others.
 *
 * <p>One probe: ping; at half the direct time-out once more; at the time-out through helpers and
 * over a stream; half-way to the window's end through other helpers; at its end it has failed. The
 * repetitions cost nothing while answers come and make a lossy network look like a slow one, not
 * like a dead member.
 */
final class Probing {
  /** Pings on others' behalf at a time; more are not answered and cost their askers a nack. */
  private static final int MAX_RELAYS = 1_024;

  private static final double NACK_SHARE = 0.8;

  private final SwimNode node;
  private final Views views;
  private final OwnWord ownWord;
  private final Map<Long, Probe> probes = new HashMap<>();
  private final Map<Long, Relay> relays = new HashMap<>();

  private final class Probe {
    final long sequence = node.nextSequence();
    final Node target;
    final long start = node.now;
    final @Nullable SwimMessage news;
    final Ending ending;
    final Set<NodeId> helpers = new HashSet<>();
    final Set<Address> nacks = new HashSet<>();
    int nacksWanted;
    int pings;
    Timers.@Nullable Timer timer;

    Probe(Node target, @Nullable SwimMessage news, Ending ending) {
      this.target = target;
      this.news = news;
      this.ending = ending;
      probes.put(sequence, this);
    }

    void ping() {
      pings++;
      Ping ping = new Ping(sequence, target.id(), target.incarnation(), node.self.id());
      SwimMessage told = news != null ? news : newsFor(target);
      if (told == null) node.send(target.address(), ping);
      else node.send(target.address(), told, ping);
    }

    void then(long at, Runnable step) {
      timer = node.timers.set(at, step);
    }

    void end(boolean answered) {
      probes.remove(sequence);
      if (timer != null) node.timers.cancel(timer);
      ending.of(this, answered);
    }
  }

  private interface Ending {
    void of(Probe probe, boolean answered);
  }

  private record Relay(Address asker, long sequence) {}

  Probing(SwimNode node, Views views, OwnWord ownWord) {
    this.node = node;
    this.views = views;
    this.ownWord = ownWord;
  }

  /** The whole probe, ending in trust or accusation; with news for the member, if any. */
  void probe(Node member, @Nullable SwimMessage news) {
    int timeout = node.health.times(node.config.probeTimeout());
    int window = node.health.times(node.config.probeWindow());
    Probe probe = new Probe(member, news, this::judge);
    probe.ping();
    long start = probe.start;
    probe.then(
        start + timeout / 2,
        () -> {
          probe.ping();
          probe.then(
              start + timeout,
              () -> {
                askAround(probe, window - timeout, true);
                int half = (window - timeout) / 2;
                probe.then(
                    start + timeout + half,
                    () -> {
                      askAround(probe, window - timeout - half, false);
                      probe.then(start + window, () -> probe.end(false));
                    });
              });
        });
  }

  /** Without helpers: a suspect's last chance, a dead member's first. */
  void ask(Node member, int window, Consumer<Boolean> result) {
    Probe probe = new Probe(member, null, (ended, answered) -> result.accept(answered));
    probe.ping();
    probe.then(
        probe.start + window / 2,
        () -> {
          probe.ping();
          probe.then(probe.start + window, () -> probe.end(false));
        });
  }

  private void judge(Probe probe, boolean answered) {
    if (answered) {
      node.scoreHealth(-1);
      return;
    }
    // helpers that report back prove that this node is heard; it may believe itself then
    boolean isHeard = probe.nacksWanted > 0 && probe.nacks.size() >= probe.nacksWanted;
    if (!isHeard) node.scoreHealth(1);
    views.accuse(probe.target.id());
  }

  private void askAround(Probe probe, int window, boolean first) {
    probe.ping();
    // a quarter is for the way there and back, or every nack would come too late
    PingReq request =
        new PingReq(probe.sequence, probe.target, node.self.id(), window - window / 4);
    List<Node> asked = new ArrayList<>();
    for (int i = 0; i < node.config.indirectProbes(); i++) {
      Node helper =
          node.table.randomLive(
              node.random,
              n -> !n.id().equals(probe.target.id()) && !probe.helpers.contains(n.id()));
      if (helper == null) break;
      asked.add(helper);
      probe.helpers.add(helper.id());
      if (first) probe.nacksWanted++;
    }
    for (Node helper : asked) node.send(helper.address(), request);
    if (first) {
      Ping ping =
          new Ping(probe.sequence, probe.target.id(), probe.target.incarnation(), node.self.id());
      node.sendReliably(probe.target.address(), ping);
    }
  }

  /** Lifeguard's buddy system: whoever is talked about hears it from the next one to ping it. */
  private @Nullable SwimMessage newsFor(Node target) {
    MemberState state = node.table.state(target.id());
    if (state == MemberState.DEAD) {
      return new Dead(target.id(), target.incarnation(), node.self.id());
    }
    Suspect accusation = views.accusationOf(target);
    return accusation;
  }

  // ---- messages

  /** Answers where it was asked, and says more when the prober's picture of this node is old. */
  void ping(Ping ping, Address from, boolean reliable) {
    if (!ping.target().equals(node.self.id())) return;
    if (ping.incarnation() > node.self.incarnation()) ownWord.formerLife(ping.incarnation());
    Ack ack = new Ack(ping.sequence());
    if (reliable) node.sendReliably(from, ack);
    else if (ping.incarnation() < node.self.incarnation()) {
      node.send(from, ack, new Alive(node.self));
    } else node.send(from, ack);
  }

  void pingReq(PingReq request, Address from) {
    if (relays.size() >= MAX_RELAYS || request.target().id().equals(node.self.id())) return;
    long sequence = node.nextSequence();
    Relay relay = new Relay(from, request.sequence());
    relays.put(sequence, relay);
    Node target = request.target();
    Ping ping = new Ping(sequence, target.id(), target.incarnation(), node.self.id());
    node.send(target.address(), ping);
    int window = request.windowMillis();
    node.timers.set(
        node.now + (int) (window * NACK_SHARE / 2),
        () -> {
          if (relays.containsKey(sequence)) node.send(target.address(), ping);
        });
    node.timers.set(
        node.now + (int) (window * NACK_SHARE),
        () -> {
          if (relays.containsKey(sequence)) node.send(from, new Nack(request.sequence()));
        });
    // a late answer is still worth passing on, until nobody can be waiting
    node.timers.set(node.now + 2L * window, () -> relays.remove(sequence));
  }

  void ack(Ack ack) {
    Relay relay = relays.remove(ack.sequence());
    if (relay != null) {
      node.send(relay.asker(), new Ack(relay.sequence()));
      return;
    }
    Probe probe = probes.get(ack.sequence());
    if (probe == null) return;
    if (probe.pings == 1) {
      node.effect(new SwimEffect.RoundTrip(probe.target.id(), node.now - probe.start));
    }
    probe.end(true);
  }

  void nack(Nack nack, Address from) {
    Probe probe = probes.get(nack.sequence());
    if (probe != null) probe.nacks.add(from);
  }
}
