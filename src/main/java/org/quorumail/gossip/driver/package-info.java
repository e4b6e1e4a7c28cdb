/**
 * Gossip as a library: the driver runs the cores of SWIM and Plumtree between real nodes. Start
 * with {@link org.quorumail.gossip.driver.Gossip}, then {@link
 * org.quorumail.gossip.driver.GossipLoop}.
 *
 * <p>Threads: one platform thread, {@code gossip}, owns both cores; the transport's threads and all
 * callers reach it through {@link org.quorumail.gossip.driver.InputQueue}. Two virtual threads call
 * the delegate and poll the discovery. RFCs: none of its own; datagrams are limited for RFC 8085
 * §3.1. The package knows nothing of mail, of Raft or of the node's configuration.
 */
@NullMarked
package org.quorumail.gossip.driver;

import org.jspecify.annotations.NullMarked;
