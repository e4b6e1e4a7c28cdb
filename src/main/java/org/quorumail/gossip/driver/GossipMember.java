package org.quorumail.gossip.driver;

import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.SwimMember;

/**
 * Another node in this node's view.
 *
 * @param lastSeenMillis the time of its last frame, or of the last report that it is alive, in
 *     milliseconds since 1970; 0 when it was never seen
 */
public record GossipMember(SwimMember node, MemberState state, long lastSeenMillis) {}
