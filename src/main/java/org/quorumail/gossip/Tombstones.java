package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Who died or left, and when. The rows stay in the table so that old news of them is recognised as
 * old, and so that the dead can be tried again; bounded by age and number.
 */
final class Tombstones {
  private final List<Stone> stones = new ArrayList<>();

  private record Stone(NodeId id, long since) {}

  void add(NodeId id, long now) {
    stones.add(new Stone(id, now));
  }

  int size() {
    return stones.size();
  }

  /** Removes what is too old or too much; rows that came back to life only lose their stone. */
  void prune(MemberTable table, SwimConfig config, long now) {
    stones.removeIf(stone -> isMemberAgain(stone, table));
    List<Stone> kept = new ArrayList<>();
    int excess = stones.size() - config.maxTombstones();
    stones.sort((a, b) -> Long.compare(a.since, b.since));
    for (Stone stone : stones) {
      if (excess-- > 0 || now - stone.since > config.tombstoneTime()) table.remove(stone.id);
      else kept.add(stone);
    }
    stones.clear();
    stones.addAll(kept);
  }

  /** One of the dead, or null; those that left on their own are not called back. */
  @Nullable Node randomDead(MemberTable table, RandomGenerator random) {
    for (int draw = 0; draw < 8 && !stones.isEmpty(); draw++) {
      int at = random.nextInt(stones.size());
      Stone stone = stones.get(at);
      if (isMemberAgain(stone, table)) {
        Stone last = stones.removeLast();
        if (at < stones.size()) stones.set(at, last);
      } else if (table.state(stone.id) == MemberState.DEAD) {
        return table.find(stone.id);
      }
    }
    return null;
  }

  private static boolean isMemberAgain(Stone stone, MemberTable table) {
    MemberState state = table.state(stone.id);
    return state == null || state.isMember();
  }
}
