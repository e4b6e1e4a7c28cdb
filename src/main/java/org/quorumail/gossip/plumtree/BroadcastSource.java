package org.quorumail.gossip.plumtree;

import org.quorumail.gossip.NodeId;

/** One incarnation of one origin, in which the sequences of its broadcasts count. */
record BroadcastSource(NodeId origin, long incarnation) implements Comparable<BroadcastSource> {
  static BroadcastSource of(BroadcastId id) {
    return new BroadcastSource(id.origin(), id.incarnation());
  }

  @Override
  public int hashCode() {
    return origin.hashCode() * 31 + Long.hashCode(incarnation);
  }

  @Override
  public int compareTo(BroadcastSource other) {
    int byOrigin = origin.compareTo(other.origin);
    return byOrigin != 0 ? byOrigin : Long.compare(incarnation, other.incarnation);
  }
}
