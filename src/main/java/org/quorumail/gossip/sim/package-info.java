/**
 * Simulations of thousands of gossip cores and the network between them, on one virtual clock. The
 * same seed gives the same run to the last message. Start with {@link
 * org.quorumail.gossip.sim.Simulation}, the engine: its network delays, loses, duplicates, reorders
 * and partitions; its nodes crash, pause, drift and slow down.
 *
 * <p>{@link org.quorumail.gossip.sim.MembershipRun} and {@link
 * org.quorumail.gossip.sim.BroadcastRun} run scenarios on it and measure. {@link
 * org.quorumail.gossip.sim.BroadcastSimulation} is a smaller engine of Plumtree alone, with {@link
 * org.quorumail.gossip.sim.BroadcastScenarios}.
 *
 * <p>Threads: the caller's. Papers: SWIM (2002), Lifeguard (2018), Plumtree (2007). The package is
 * as pure as the cores and knows nothing of sockets, files, clocks, mail or Raft.
 */
@NullMarked
package org.quorumail.gossip.sim;

import org.jspecify.annotations.NullMarked;
