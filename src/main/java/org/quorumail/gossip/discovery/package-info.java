/**
 * Sources of other nodes' addresses: a list, DNS, multicast, Kubernetes, a custom one, and the file
 * of the members last seen. Start with {@link org.quorumail.gossip.discovery.NodeDiscovery}.
 *
 * <p>Threads: {@link org.quorumail.gossip.discovery.DiscoveryPoller} asks each source in a thread
 * of its own; {@link org.quorumail.gossip.discovery.MulticastDiscovery} has two. RFCs: SRV records
 * (2782), bearer tokens (6750). The package knows nothing of membership, of mail or of Raft.
 */
@NullMarked
package org.quorumail.gossip.discovery;

import org.jspecify.annotations.NullMarked;
