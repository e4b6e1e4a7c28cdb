/**
 * The broadcast core: Plumtree ("Epidemic Broadcast Trees", Leitão, Pereira, Rodrigues 2007) with
 * one tree per frequent origin and computed paths for the others. Start reading at {@link
 * org.quorumail.gossip.plumtree.Plumtree}, which lists the states, their transitions and the parts.
 * {@link org.quorumail.gossip.plumtree.PlumtreeCodec} defines the wire format.
 *
 * <p>One owner thread calls the core; time and randomness are arguments. It must know no socket,
 * file, thread, clock, configuration file, metrics registry, mail or Raft, nor the membership core.
 * {@link org.quorumail.gossip.plumtree.SendQueue} belongs to the driver's connection to a
 * neighbour.
 */
@NullMarked
package org.quorumail.gossip.plumtree;

import org.jspecify.annotations.NullMarked;
