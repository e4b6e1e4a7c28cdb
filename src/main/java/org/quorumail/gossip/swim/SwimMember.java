package org.quorumail.gossip.swim;

import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;

/**
 * A node as it describes itself to the other members.
 *
 * @param incarnation 0 to 2^63-1, raised by the node alone, to refute an accusation or to publish a
 *     change; a higher one replaces all lower ones
 */
public record SwimMember(NodeId id, NodeAddress address, long incarnation, NodeMetadata metadata) {
  /** The highest number on the wire; an accusation of this incarnation cannot be refuted. */
  public static final long MAX_INCARNATION = Long.MAX_VALUE;

  public SwimMember {
    if (incarnation < 0) throw new IllegalArgumentException("incarnation " + incarnation);
  }

  SwimMember withIncarnation(long raised) {
    return raised == incarnation ? this : new SwimMember(id, address, raised, metadata);
  }

  SwimMember withMetadata(NodeMetadata other) {
    return other == metadata ? this : new SwimMember(id, address, incarnation, other);
  }
}
