package org.quorumail.gossip.plumtree;

import org.jspecify.annotations.Nullable;

/**
 * A node's part of one spanning tree: the eager links, as a bit per link. The rest keeps concurrent
 * messages from cutting a tree twice (riak_core #378). The parent is never pruned, and a message in
 * flight on a pruned link does not make it eager again.
 */
final class SpanningTree {
  private static final int NO_PARENT = -1;
  private static final long NEVER = Long.MIN_VALUE;

  final TreeId id;

  /** The eager links, a bit per {@link Link#slot}. */
  private long eager;

  /** The links pruned since {@link #pruneWindowStart}. */
  private long pruned;

  private long pruneWindowStart;
  private int parent = NO_PARENT;
  private boolean orphan;
  private long lastUse;
  private long lastOptimised = NEVER;

  SpanningTree(TreeId id, long eager, long now) {
    this.id = id;
    this.eager = eager;
    this.lastUse = now;
  }

  boolean isEager(Link link) {
    return (eager >>> link.slot & 1) != 0;
  }

  int eagerCount() {
    return Long.bitCount(eager);
  }

  boolean promote(Link link) {
    long before = eager;
    eager |= 1L << link.slot;
    return eager != before;
  }

  boolean demote(Link link) {
    long before = eager;
    eager &= ~(1L << link.slot);
    if (parent == link.slot) parent = NO_PARENT;
    return eager != before;
  }

  /** Removes a link, whose slot another link will reuse. */
  void removeLink(Link link) {
    if (parent == link.slot) orphan = true;
    demote(link);
    pruned &= ~(1L << link.slot);
  }

  boolean isParent(Link link) {
    return parent == link.slot;
  }

  /** Sets the link over which the last new message came. */
  void setParent(Link link) {
    if (!isEager(link)) throw new IllegalStateException("a parent is eager: " + link.id);
    parent = link.slot;
    orphan = false;
  }

  /** Returns whether the parent is gone and no new message has come since. */
  boolean isOrphan() {
    return orphan;
  }

  boolean wasPrunedRecently(Link link, long now, long window) {
    return now - pruneWindowStart < window && (pruned >>> link.slot & 1) != 0;
  }

  void pruned(Link link, long now, long window) {
    if (now - pruneWindowStart >= window) {
      pruned = 0;
      pruneWindowStart = now;
    }
    pruned |= 1L << link.slot;
  }

  /** A graft overrides an earlier prune. */
  void clearPrune(Link link) {
    pruned &= ~(1L << link.slot);
  }

  /** Returns true once per window, at a phase of its own on each node. */
  boolean mayOptimise(long now, long window, long phase) {
    if (lastOptimised == NEVER) lastOptimised = now - Math.floorMod(phase, window);
    if (now - lastOptimised < window) return false;
    lastOptimised = now;
    return true;
  }

  /**
   * A sentence about the first invariant that does not hold; null when all hold.
   *
   * @param slots the slots of all links
   */
  @Nullable String violation(long slots) {
    if ((eager & ~slots) != 0) return "eager slots without a link";
    boolean isParentEager = parent == NO_PARENT || (eager >>> parent & 1) != 0;
    return isParentEager ? null : "the parent is not eager";
  }

  void touch(long now) {
    lastUse = now;
  }

  long lastUse() {
    return lastUse;
  }
}
