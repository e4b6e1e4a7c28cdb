package org.quorumail.gossip.transport;

import org.quorumail.gossip.NodeAddress;

/**
 * Whom something is for.
 *
 * @param nodeId its id when known, else empty
 */
public record PeerAddress(NodeAddress address, String nodeId) {}
