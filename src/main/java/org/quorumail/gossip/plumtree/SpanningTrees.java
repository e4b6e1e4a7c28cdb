package org.quorumail.gossip.plumtree;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * The trees that a node keeps: one for each origin that broadcasts often, as many as the bound
 * allows. An origin's tree is that of the quickest ways from it and is never changed by another's
 * messages: in one tree for all, several messages at once undo each other's choices (riak_core
 * #378). Those who speak rarely need none, their messages go by the {@link OverlayPaths}. A full
 * table takes nobody new until somebody has been silent for a minute; until then newcomers'
 * messages go by the chart too, so that too many origins cost some milliseconds and not floods.
 */
final class SpanningTrees {
  /** An origin that speaks less often than this is not worth a tree of its own. */
  static final long ACTIVE_MILLIS = 60_000;

  private final int max;

  /** The one unused for longest first. */
  private final LinkedHashMap<TreeId, SpanningTree> trees = new LinkedHashMap<>();

  SpanningTrees(int max) {
    this.max = max;
  }

  /**
   * The tree of that name; none for what is charted, or when there is no room.
   *
   * @param eagerAtFirst says, bit per link, on which of them a new tree starts to push
   */
  Optional<SpanningTree> get(TreeId id, LongSupplier eagerAtFirst, long now) {
    if (id.isOverlayPaths()) return Optional.empty();
    SpanningTree tree = trees.get(id);
    if (tree == null) {
      if (!hasRoom(now)) return Optional.empty();
      tree = new SpanningTree(id, eagerAtFirst.getAsLong(), now);
    }
    trees.putLast(id, tree);
    tree.touch(now);
    return Optional.of(tree);
  }

  /** One that is there, for a word about it: words make no tree and keep none young. */
  Optional<SpanningTree> find(TreeId id) {
    return Optional.ofNullable(trees.get(id));
  }

  boolean has(TreeId id) {
    return trees.containsKey(id);
  }

  /** Whether a new tree fits, after the one unused for longest has made room if it may. */
  boolean hasRoom(long now) {
    if (trees.size() < max) return true;
    Iterator<SpanningTree> eldest = trees.values().iterator();
    if (!eldest.hasNext() || now - eldest.next().lastUse() < ACTIVE_MILLIS) return false;
    eldest.remove();
    return true;
  }

  void forEach(Consumer<SpanningTree> action) {
    trees.values().forEach(action);
  }

  /** The one used last. */
  Optional<SpanningTree> latest() {
    return Optional.ofNullable(trees.lastEntry()).map(Map.Entry::getValue);
  }

  int size() {
    return trees.size();
  }
}
