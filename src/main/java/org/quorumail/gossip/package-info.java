/**
 * Gossip's two pure cores: {@link org.quorumail.gossip.swim.Swim}, who is there, and Plumtree,
 * telling everyone. Soft state only: nothing that could lose or double mail hangs on it.
 *
 * <p>A core is a state machine with one owner. Each method is one event; it takes the time ({@code
 * now}: milliseconds on a monotonic clock of any origin) and returns the effects that the driver
 * carries out in their order. What a core waits for is one number, {@code nextDeadline()}: the
 * driver calls {@code tick(now)} then. The random source is handed in, so that the same events give
 * the same effects. There is no socket, file, thread or clock in here (a test reads the byte code),
 * and no knowledge of mail or Raft. Drivers: {@code gossip.net} for the network, {@code gossip.sim}
 * for ten thousand nodes from one seed.
 *
 * <p>Start reading at {@link org.quorumail.gossip.swim.Swim}. Papers: SWIM (Das, Gupta, Motivala
 * 2002), Lifeguard (Dadgar, Phillips, Currey 2018), Plumtree (Leitão, Pereira, Rodrigues 2007).
 */
@NullMarked
package org.quorumail.gossip;

import org.jspecify.annotations.NullMarked;
