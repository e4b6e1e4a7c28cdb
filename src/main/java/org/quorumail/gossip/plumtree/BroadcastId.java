package org.quorumail.gossip.plumtree;

import org.quorumail.gossip.NodeId;

/**
 * The unique id of a broadcast: its origin, the incarnation of the origin, and a sequence number.
 * It needs no clock and no randomness. The transport authenticates neighbours, and a replayed id is
 * a seen one.
 *
 * @param incarnation differs between two runs of a node; the driver takes the time of its start
 * @param sequence starts at 1
 */
public record BroadcastId(NodeId origin, long incarnation, long sequence) {
  public BroadcastId {
    if (incarnation < 0) throw new IllegalArgumentException("negative incarnation");
    if (sequence < 1) throw new IllegalArgumentException("sequences start at 1");
  }

  @Override
  public int hashCode() {
    return (origin.hashCode() * 31 + Long.hashCode(incarnation)) * 31 + Long.hashCode(sequence);
  }

  @Override
  public String toString() {
    return origin + "/" + incarnation + "/" + sequence;
  }
}
