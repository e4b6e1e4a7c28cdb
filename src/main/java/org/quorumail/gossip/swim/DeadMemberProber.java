package org.quorumail.gossip.swim;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.quorumail.gossip.NodeAddress;

/**
 * Trying those who are not there: seeds that have not answered yet, and the dead (lazarus). A dead
 * member that lives after all, as half the cluster does when a partition ends, hears from the
 * attempt that it is held dead and refutes; every return makes its witnesses look for more. Where
 * that is switched off, a seed is asked until it has answered once, and the dead are left alone.
 */
final class DeadMemberProber {
  /** A configured list, or what a DNS name gave; nobody seeds from more. */
  private static final int MAX_SEEDS = 256;

  private static final int FIRST_RETRY_MILLIS = 1_000;

  /**
   * Attempts with a seed that never answered are no further apart, if lazarus says nothing else.
   */
  private static final int LONGEST_WAIT_MILLIS = 30_000;

  /** Without a return for so long, the search calms down. */
  private static final int BUSY_MILLIS = 2_000;

  private final SwimContext context;
  private final MemberTransitions transitions;
  private final Prober prober;
  private final PushPull pushPull;
  private final Map<NodeAddress, Seed> seeds = new LinkedHashMap<>();
  private long nextTry;
  private long busyUntil = Long.MIN_VALUE;

  private static final class Seed {
    long next;
    int wait = FIRST_RETRY_MILLIS;
    boolean isAnswered;
  }

  DeadMemberProber(SwimContext node, MemberTransitions views, Prober probing, PushPull exchange) {
    this.context = node;
    this.transitions = views;
    this.prober = probing;
    this.pushPull = exchange;
    this.nextTry = isDisabled() ? Long.MAX_VALUE : node.now + node.random.nextInt(lazarus());
  }

  private int lazarus() {
    return context.config.lazarusInterval();
  }

  private boolean isDisabled() {
    return lazarus() == 0;
  }

  /** Replaces the list; what is known of addresses that stay is kept. */
  void seeds(Collection<NodeAddress> addresses) {
    seeds.keySet().retainAll(addresses);
    for (NodeAddress address : addresses) {
      if (seeds.size() == MAX_SEEDS) break;
      if (address.equals(context.self.address()) || seeds.containsKey(address)) continue;
      Seed seed = new Seed();
      seed.next = context.now;
      seeds.put(address, seed);
    }
  }

  long deadline() {
    long next = transitions.tombstones().size() > 0 ? nextTry : Long.MAX_VALUE;
    for (Seed seed : seeds.values()) next = Math.min(next, seed.next);
    return next;
  }

  void tick() {
    trySeeds();
    tryDead();
  }

  private void trySeeds() {
    for (Map.Entry<NodeAddress, Seed> entry : seeds.entrySet()) {
      Seed seed = entry.getValue();
      if (seed.next > context.now) continue;
      NodeAddress address = entry.getKey();
      if (isMember(address)) {
        isThere(seed);
        continue;
      }
      pushPull.requestFrom(address);
      seed.next = context.now + seed.wait + context.random.nextInt(FIRST_RETRY_MILLIS / 4);
      seed.wait = Math.min(2 * seed.wait, isDisabled() ? LONGEST_WAIT_MILLIS : 3 * lazarus());
    }
  }

  private void isThere(Seed seed) {
    seed.isAnswered = true;
    seed.wait = FIRST_RETRY_MILLIS;
    seed.next = isDisabled() ? Long.MAX_VALUE : context.now + 3L * lazarus();
  }

  private boolean isMember(NodeAddress address) {
    boolean[] found = new boolean[1];
    context.table.forEachLive(
        n -> {
          if (n.address().equals(address)) found[0] = true;
        });
    return found[0];
  }

  /** A view has come from there. */
  void answered(NodeAddress from, SwimMember responder) {
    Seed seed = seeds.get(from);
    if (seed == null) seed = seeds.get(responder.address());
    if (seed == null) return;
    if (!seed.isAnswered) context.emit(new SwimEffect.Joined(from, responder.id()));
    isThere(seed);
  }

  private void tryDead() {
    if (context.now < nextTry) return;
    boolean busy = context.now < busyUntil;
    int interval = busy ? context.config.lazarusBusyInterval() : lazarus();
    nextTry = context.now + interval * 3L / 4 + context.random.nextInt(interval / 2);
    SwimMember dead = transitions.tombstones().randomDead(context.table, context.random);
    if (dead != null) prober.probeDirectly(dead, context.config.probeWindow(), answered -> {});
  }

  /** Where one came back others may. */
  void onMemberReturned() {
    boolean wasCalm = context.now >= busyUntil;
    busyUntil = context.now + BUSY_MILLIS;
    pushPull.hasten();
    if (!wasCalm || isDisabled()) return;
    nextTry =
        Math.min(
            nextTry, context.now + context.random.nextInt(context.config.lazarusBusyInterval()));
  }
}
