package org.quorumail.gossip.plumtree;

import org.quorumail.gossip.NodeId;

/**
 * Names one broadcast for ever: who sent it, in which life of that node, and the how-manieth it
 * was. No clock and no chance: the transport proves the origin's neighbours, and a replayed id is
 * one that was seen.
 *
 * @param incarnation differs between two lives of a node; the driver takes the time of its start
 * @param sequence from 1
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
