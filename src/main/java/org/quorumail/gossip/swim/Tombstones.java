package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;

/**
 * Who died or left, and when. The rows stay in the table so that old news of them is recognised as
 * old, and so that the dead can be tried again; bounded by age and number.
 */
final class Tombstones {
  private final List<Tombstone> tombstones = new ArrayList<>();

  private record Tombstone(NodeId id, long since) {}

  void add(NodeId id, long now) {
    tombstones.add(new Tombstone(id, now));
  }

  int size() {
    return tombstones.size();
  }

  /** Removes what is too old or too much; rows that came back to life only lose their stone. */
  void prune(MemberTable table, SwimConfig config, long now) {
    tombstones.removeIf(stone -> isMemberAgain(stone, table));
    List<Tombstone> kept = new ArrayList<>();
    int excess = tombstones.size() - config.maxTombstones();
    tombstones.sort((a, b) -> Long.compare(a.since, b.since));
    for (Tombstone stone : tombstones) {
      if (excess-- > 0 || now - stone.since > config.tombstoneTime()) table.remove(stone.id);
      else kept.add(stone);
    }
    tombstones.clear();
    tombstones.addAll(kept);
  }

  /** One of the dead, or null; those that left on their own are not called back. */
  @Nullable SwimMember randomDead(MemberTable table, RandomGenerator random) {
    for (int draw = 0; draw < 8 && !tombstones.isEmpty(); draw++) {
      int at = random.nextInt(tombstones.size());
      Tombstone stone = tombstones.get(at);
      if (isMemberAgain(stone, table)) {
        Tombstone last = tombstones.removeLast();
        if (at < tombstones.size()) tombstones.set(at, last);
      } else if (table.state(stone.id) == MemberState.DEAD) {
        return table.find(stone.id);
      }
    }
    return null;
  }

  private static boolean isMemberAgain(Tombstone stone, MemberTable table) {
    MemberState state = table.state(stone.id);
    return state == null || state.isMember();
  }
}
