package org.quorumail.gossip;

/**
 * A node as it describes itself.
 *
 * @param incarnation raised by the node alone, to refute an accusation or to publish a change; a
 *     higher one replaces everything said of a lower one; 0 to 2^63-1
 */
public record Node(NodeId id, Address address, long incarnation, Meta meta) {
  /** The wire has no room beyond this, and an accusation at this height cannot be refuted. */
  public static final long MAX_INCARNATION = Long.MAX_VALUE;

  public Node {
    if (incarnation < 0) throw new IllegalArgumentException("incarnation " + incarnation);
  }

  Node withIncarnation(long raised) {
    return raised == incarnation ? this : new Node(id, address, raised, meta);
  }

  Node withMeta(Meta other) {
    return other == meta ? this : new Node(id, address, incarnation, other);
  }
}
