/**
 * The membership core: SWIM (Das, Gupta, Motivala 2002) with Lifeguard (Dadgar, Phillips, Currey
 * 2018). Start reading at {@link org.quorumail.gossip.swim.Swim}, which lists the states, their
 * transitions and the parts. {@link org.quorumail.gossip.swim.SwimCodec} defines the wire format.
 *
 * <p>One owner thread calls the core; time and randomness are arguments. It must know no socket,
 * file, thread, clock, configuration file, metrics, mail or Raft, nor the broadcast core.
 */
@NullMarked
package org.quorumail.gossip.swim;

import org.jspecify.annotations.NullMarked;
