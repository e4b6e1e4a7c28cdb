/**
 * Gossip's pure cores by the thousand, with a network between them, on one virtual clock and from
 * one seed: the same seed gives the same run to the last message. One thread, the caller's. Pure
 * like the cores: reports and plots are returned as text.
 *
 * <p>{@link org.quorumail.gossip.sim.Simulation} is the engine: a network that delays, loses,
 * doubles, reorders and cuts, nodes that crash, stand still, drift and dawdle. {@link
 * org.quorumail.gossip.sim.MembershipRun} and {@link org.quorumail.gossip.sim.BroadcastRun} are
 * scenarios on it with their measurements. {@link org.quorumail.gossip.sim.BroadcastSimulation} is
 * a smaller network, of broadcasts alone, and {@link org.quorumail.gossip.sim.BroadcastScenarios}
 * are the questions asked of it.
 */
@NullMarked
package org.quorumail.gossip.sim;

import org.jspecify.annotations.NullMarked;
