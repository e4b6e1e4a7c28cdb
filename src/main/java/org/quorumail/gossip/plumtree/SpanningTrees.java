package org.quorumail.gossip.plumtree;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The spanning trees of a node: one for each origin that broadcasts often, up to a bound. An
 * origin's tree follows the quickest links from it, and other origins' messages never change it. In
 * one tree for all, concurrent messages would undo each other's choices (riak_core #378). The
 * messages of other origins take the {@link OverlayPaths}. A full table admits a new tree only in
 * place of one unused for a minute. Until then new origins take the overlay paths too, so too many
 * origins cost some milliseconds and not floods.
 */
final class SpanningTrees {
  /** An origin that broadcasts less often than this has no tree. */
  static final long ACTIVE_MILLIS = 60_000;

  private final int max;

  /** The longest unused tree first. */
  private final LinkedHashMap<TreeId, SpanningTree> trees = new LinkedHashMap<>();

  SpanningTrees(int max) {
    this.max = max;
  }

  /**
   * The tree with an id; none for overlay paths, or when there is no room.
   *
   * @param eagerAtFirst gives the links on which a new tree starts to push, a bit per link
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

  /** An existing tree, for a control message: those create no tree and renew none. */
  Optional<SpanningTree> find(TreeId id) {
    return Optional.ofNullable(trees.get(id));
  }

  boolean has(TreeId id) {
    return trees.containsKey(id);
  }

  /** Returns whether a new tree fits; evicts the longest unused tree if it is old enough. */
  boolean hasRoom(long now) {
    if (trees.size() < max) return true;
    Iterator<SpanningTree> oldest = trees.values().iterator();
    if (!oldest.hasNext() || now - oldest.next().lastUse() < ACTIVE_MILLIS) return false;
    oldest.remove();
    return true;
  }

  void forEach(Consumer<SpanningTree> action) {
    trees.values().forEach(action);
  }

  /** The last used tree. */
  Optional<SpanningTree> latest() {
    return Optional.ofNullable(trees.lastEntry()).map(Map.Entry::getValue);
  }

  int size() {
    return trees.size();
  }

  /**
   * A sentence about the first invariant that does not hold; null when all hold.
   *
   * @param slots the slots of all links
   */
  @Nullable String violation(long slots) {
    if (trees.size() > max) return trees.size() + " of " + max + " trees";
    for (SpanningTree tree : trees.values()) {
      String inTree = tree.violation(slots);
      if (inTree != null) return "tree " + tree.id + ": " + inTree;
    }
    return null;
  }
}
