package org.quorumail.gossip.driver;

import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.SwimMember;

/**
 * Another node, as this one sees it.
 *
 * @param lastSeenMillis since 1970: of the last frame that came from it, or of the last news that
 *     it is there
 */
public record GossipMember(SwimMember node, MemberState state, long lastSeenMillis) {}
