package org.quorumail.gossip;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The trees that a node knows: one shared by all, and one for each origin that broadcasts often, as
 * many as the bound allows. An origin's tree is that of the quickest ways from it and is never
 * changed by another's messages; the shared one is for those who speak rarely. A full table takes
 * nobody new until somebody has been silent for a minute; until then newcomers use the shared tree,
 * so that too many origins cost hops and not floods.
 */
final class SpanningTrees {
  /** An origin that speaks less often than this is not worth a tree of its own. */
  static final long ACTIVE_MILLIS = 60_000;

  private final int max;
  private final SpanningTree shared;
  private final Map<TreeId, SpanningTree> own = new LinkedHashMap<>(16, 0.75f, true);

  SpanningTrees(int max, long now) {
    this.max = max;
    this.shared = new SpanningTree(TreeId.SHARED, 0, now);
  }

  /**
   * The tree of that name, or the shared one when there is no room.
   *
   * @param eagerAtFirst says, bit per link, on which of them a new tree starts to push
   */
  SpanningTree get(TreeId id, LongSupplier eagerAtFirst, long now) {
    if (id.isShared()) return shared;
    SpanningTree tree = own.get(id);
    if (tree == null) {
      if (!hasRoom(now)) return shared;
      tree = new SpanningTree(id, eagerAtFirst.getAsLong(), now);
      own.put(id, tree);
    }
    tree.used(now);
    return tree;
  }

  boolean has(TreeId id) {
    return own.containsKey(id);
  }

  /** Whether a new tree fits, after the one unused for longest has made room if it may. */
  boolean hasRoom(long now) {
    if (own.size() < max) return true;
    Iterator<SpanningTree> eldest = own.values().iterator();
    if (!eldest.hasNext() || now - eldest.next().lastUse() < ACTIVE_MILLIS) return false;
    eldest.remove();
    return true;
  }

  void forEach(Consumer<SpanningTree> action) {
    action.accept(shared);
    own.values().forEach(action);
  }

  SpanningTree shared() {
    return shared;
  }

  int size() {
    return own.size();
  }
}
