package org.quorumail.gossip.swim;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.quorumail.gossip.NodeAddress;

/**
 * The attempts to reach the seeds. A seed that did not answer yet is asked again after growing
 * waits. Later it is asked at the lazarus interval while no member has its address; with lazarus
 * off, never again.
 */
final class SeedJoiner {
  /** A configured list, or the addresses of a DNS name; no cluster needs more. */
  private static final int MAX_SEEDS = 256;

  private static final int FIRST_RETRY_MILLIS = 1_000;

  /** The longest wait between attempts with lazarus off. */
  private static final int LONGEST_WAIT_MILLIS = 30_000;

  private final SwimContext context;
  private final PushPull pushPull;
  private final Map<NodeAddress, Seed> seeds = new LinkedHashMap<>();

  private static final class Seed {
    long nextAttempt;
    int wait = FIRST_RETRY_MILLIS;
    boolean isAnswered;
  }

  SeedJoiner(SwimContext context, PushPull pushPull) {
    this.context = context;
    this.pushPull = pushPull;
  }

  private boolean isLazarusOff() {
    return context.config.lazarusInterval() == 0;
  }

  /** Replaces the list; addresses that stay keep their state. */
  void setSeeds(Collection<NodeAddress> addresses) {
    seeds.keySet().retainAll(addresses);
    for (NodeAddress address : addresses) {
      if (seeds.size() == MAX_SEEDS) break;
      if (address.equals(context.self.address()) || seeds.containsKey(address)) continue;
      Seed seed = new Seed();
      seed.nextAttempt = context.now;
      seeds.put(address, seed);
    }
  }

  long deadline() {
    long next = Long.MAX_VALUE;
    for (Seed seed : seeds.values()) next = Math.min(next, seed.nextAttempt);
    return next;
  }

  void tick() {
    for (Map.Entry<NodeAddress, Seed> entry : seeds.entrySet()) {
      Seed seed = entry.getValue();
      if (seed.nextAttempt > context.now) continue;
      if (isMember(entry.getKey())) markAnswered(seed);
      else ask(entry.getKey(), seed);
    }
  }

  private void ask(NodeAddress address, Seed seed) {
    pushPull.requestFrom(address);
    seed.nextAttempt = context.now + seed.wait + context.random.nextInt(FIRST_RETRY_MILLIS / 4);
    int longest = isLazarusOff() ? LONGEST_WAIT_MILLIS : 3 * context.config.lazarusInterval();
    seed.wait = Math.min(2 * seed.wait, longest);
  }

  private void markAnswered(Seed seed) {
    seed.isAnswered = true;
    seed.wait = FIRST_RETRY_MILLIS;
    seed.nextAttempt =
        isLazarusOff() ? Long.MAX_VALUE : context.now + 3L * context.config.lazarusInterval();
  }

  private boolean isMember(NodeAddress address) {
    boolean[] found = new boolean[1];
    context.table.forEachLive(
        member -> {
          if (member.address().equals(address)) found[0] = true;
        });
    return found[0];
  }

  /** A node sent its view; if it is a seed, joining through it is done. */
  void onResponse(NodeAddress from, SwimMember responder) {
    Seed seed = seeds.get(from);
    if (seed == null) seed = seeds.get(responder.address());
    if (seed == null) return;
    if (!seed.isAnswered) context.emit(new SwimEffect.Joined(from, responder.id()));
    markAnswered(seed);
  }
}
