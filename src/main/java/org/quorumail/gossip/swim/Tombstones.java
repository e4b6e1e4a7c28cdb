package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;

/**
 * The dead and left members, each with the time of its end. Their rows stay in the table, so that
 * old updates are recognised as old and dead members can be probed again. Age and number are
 * bounded.
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

  /** Removes the rows that are too old or too many; a member that is back loses its tombstone. */
  void prune(MemberTable table, SwimConfig config, long now) {
    tombstones.removeIf(tombstone -> isMemberAgain(tombstone, table));
    List<Tombstone> kept = new ArrayList<>();
    int excess = tombstones.size() - config.maxTombstones();
    tombstones.sort((a, b) -> Long.compare(a.since, b.since));
    for (Tombstone tombstone : tombstones) {
      if (excess-- > 0 || now - tombstone.since > config.tombstoneTime())
        table.remove(tombstone.id);
      else kept.add(tombstone);
    }
    tombstones.clear();
    tombstones.addAll(kept);
  }

  Set<NodeId> ids() {
    Set<NodeId> ids = new HashSet<>();
    for (Tombstone tombstone : tombstones) ids.add(tombstone.id);
    return ids;
  }

  /** A random dead member, or null; members that left are not probed. */
  @Nullable SwimMember randomDead(MemberTable table, RandomGenerator random) {
    for (int draw = 0; draw < 8 && !tombstones.isEmpty(); draw++) {
      int at = random.nextInt(tombstones.size());
      Tombstone tombstone = tombstones.get(at);
      if (isMemberAgain(tombstone, table)) {
        Tombstone last = tombstones.removeLast();
        if (at < tombstones.size()) tombstones.set(at, last);
      } else if (table.state(tombstone.id) == MemberState.DEAD) {
        return table.find(tombstone.id);
      }
    }
    return null;
  }

  private static boolean isMemberAgain(Tombstone tombstone, MemberTable table) {
    MemberState state = table.state(tombstone.id);
    return state == null || state.isMember();
  }
}
