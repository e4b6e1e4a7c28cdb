package org.quorumail.gossip.net;

import org.quorumail.gossip.MemberState;
import org.quorumail.gossip.Node;

/**
 * Another node, as this one sees it.
 *
 * @param lastHeardMillis since 1970: of the last frame that came from it, or of the last news that
 *     it is there
 */
public record GossipMember(Node node, MemberState state, long lastHeardMillis) {}
