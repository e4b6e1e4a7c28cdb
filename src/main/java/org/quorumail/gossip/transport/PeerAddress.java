package org.quorumail.gossip.transport;

import org.quorumail.gossip.NodeAddress;

/**
 * The address of a peer and its node id.
 *
 * @param nodeId empty while the id is unknown
 */
public record PeerAddress(NodeAddress address, String nodeId) {}
