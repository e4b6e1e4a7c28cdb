package org.quorumail.gossip;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Trying those who are not there: seeds that have not answered yet, and the dead (lazarus). A dead
 * member that lives after all, as half the cluster does when a partition ends, hears from the
 * attempt that it is held dead and refutes; every return makes its witnesses look for more. Where
 * that is switched off, a seed is asked until it has answered once, and the dead are left alone.
 */
final class Revival {
  /** A configured list, or what a DNS name gave; nobody seeds from more. */
  private static final int MAX_SEEDS = 256;

  private static final int FIRST_RETRY_MILLIS = 1_000;

  /**
   * Attempts with a seed that never answered are no further apart, if lazarus says nothing else.
   */
  private static final int LONGEST_WAIT_MILLIS = 30_000;

  /** Without a return for so long, the search calms down. */
  private static final int BUSY_MILLIS = 2_000;

  private final SwimNode node;
  private final Views views;
  private final Probing probing;
  private final ViewExchange exchange;
  private final Map<Address, Seed> seeds = new LinkedHashMap<>();
  private long nextTry;
  private long busyUntil = Long.MIN_VALUE;

  private static final class Seed {
    long next;
    int wait = FIRST_RETRY_MILLIS;
    boolean isAnswered;
  }

  Revival(SwimNode node, Views views, Probing probing, ViewExchange exchange) {
    this.node = node;
    this.views = views;
    this.probing = probing;
    this.exchange = exchange;
    this.nextTry = isOff() ? Long.MAX_VALUE : node.now + node.random.nextInt(lazarus());
  }

  private int lazarus() {
    return node.config.lazarusInterval();
  }

  private boolean isOff() {
    return lazarus() == 0;
  }

  /** Replaces the list; what is known of addresses that stay is kept. */
  void seeds(Collection<Address> addresses) {
    seeds.keySet().retainAll(addresses);
    for (Address address : addresses) {
      if (seeds.size() == MAX_SEEDS) break;
      if (address.equals(node.self.address()) || seeds.containsKey(address)) continue;
      Seed seed = new Seed();
      seed.next = node.now;
      seeds.put(address, seed);
    }
  }

  long next() {
    long next = views.tombstones().size() > 0 ? nextTry : Long.MAX_VALUE;
    for (Seed seed : seeds.values()) next = Math.min(next, seed.next);
    return next;
  }

  void tick() {
    trySeeds();
    tryDead();
  }

  private void trySeeds() {
    for (Map.Entry<Address, Seed> entry : seeds.entrySet()) {
      Seed seed = entry.getValue();
      if (seed.next > node.now) continue;
      Address address = entry.getKey();
      if (isMember(address)) {
        isThere(seed);
        continue;
      }
      exchange.ask(address);
      seed.next = node.now + seed.wait + node.random.nextInt(FIRST_RETRY_MILLIS / 4);
      seed.wait = Math.min(2 * seed.wait, isOff() ? LONGEST_WAIT_MILLIS : 3 * lazarus());
    }
  }

  private void isThere(Seed seed) {
    seed.isAnswered = true;
    seed.wait = FIRST_RETRY_MILLIS;
    seed.next = isOff() ? Long.MAX_VALUE : node.now + 3L * lazarus();
  }

  private boolean isMember(Address address) {
    boolean[] found = new boolean[1];
    node.table.forEachLive(
        n -> {
          if (n.address().equals(address)) found[0] = true;
        });
    return found[0];
  }

  /** A view has come from there. */
  void answered(Address from, Node responder) {
    Seed seed = seeds.get(from);
    if (seed == null) seed = seeds.get(responder.address());
    if (seed == null) return;
    if (!seed.isAnswered) node.effect(new SwimEffect.Joined(from, responder.id()));
    isThere(seed);
  }

  private void tryDead() {
    if (node.now < nextTry) return;
    boolean busy = node.now < busyUntil;
    int interval = busy ? node.config.lazarusBusyInterval() : lazarus();
    nextTry = node.now + interval * 3L / 4 + node.random.nextInt(interval / 2);
    Node dead = views.tombstones().randomDead(node.table, node.random);
    if (dead != null) probing.ask(dead, node.config.probeWindow(), answered -> {});
  }

  /** Where one came back others may. */
  void resurrected() {
    boolean wasCalm = node.now >= busyUntil;
    busyUntil = node.now + BUSY_MILLIS;
    exchange.hasten();
    if (!wasCalm || isOff()) return;
    nextTry = Math.min(nextTry, node.now + node.random.nextInt(node.config.lazarusBusyInterval()));
  }
}
