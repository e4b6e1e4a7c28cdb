/**
 * Gossip's pure cores by the thousand, with a network between them, on one virtual clock and from
 * one seed: the same seed gives the same run to the last message.
 *
 * <p>{@link org.quorumail.gossip.sim.BroadcastNetwork} is the network of broadcasts, {@link
 * org.quorumail.gossip.sim.BroadcastScenarios} are the questions asked of it. One thread, the
 * caller's.
 */
@NullMarked
package org.quorumail.gossip.sim;

import org.jspecify.annotations.NullMarked;
