/**
 * Ways to find other nodes: a list, DNS, multicast, Kubernetes, the members last seen. Start with
 * {@link org.quorumail.gossip.discovery.NodeDiscovery}. Knows nothing of mail or Raft.
 */
@NullMarked
package org.quorumail.gossip.discovery;

import org.jspecify.annotations.NullMarked;
