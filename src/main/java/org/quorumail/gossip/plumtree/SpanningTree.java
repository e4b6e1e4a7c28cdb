package org.quorumail.gossip.plumtree;

/**
 * A node's part of one spanning tree: which of its links push, as a bit per link. The rest is what
 * keeps messages that are on their way at the same time from cutting a tree twice (riak_core #378):
 * the parent is never pruned, and what a pruned link still had in flight does not bring it back.
 */
final class SpanningTree {
  private static final int NO_PARENT = -1;
  private static final long NEVER = Long.MIN_VALUE;

  final TreeId id;

  /** Bit per {@link Link#slot}. */
  private long eager;

  /** Links pruned since {@link #pruneWindowStart}. */
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

  /** A link is gone; its slot will be another's. */
  void removeLink(Link link) {
    if (parent == link.slot) orphan = true;
    demote(link);
    pruned &= ~(1L << link.slot);
  }

  boolean isParent(Link link) {
    return parent == link.slot;
  }

  /** The link over which the last new message came. */
  void setParent(Link link) {
    parent = link.slot;
    orphan = false;
  }

  /** The parent is gone and nothing new has come since: waiting for it is in vain. */
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

  /** A graft overrules an earlier prune. */
  void clearPrune(Link link) {
    pruned &= ~(1L << link.slot);
  }

  /** Once per window, at another moment of it on each node. */
  boolean mayOptimise(long now, long window, long phase) {
    if (lastOptimised == NEVER) lastOptimised = now - Math.floorMod(phase, window);
    if (now - lastOptimised < window) return false;
    lastOptimised = now;
    return true;
  }

  void touch(long now) {
    lastUse = now;
  }

  long lastUse() {
    return lastUse;
  }
}
