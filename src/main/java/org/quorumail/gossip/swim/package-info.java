/**
 * The pure core of membership: SWIM (Das, Gupta, Motivala 2002) with Lifeguard (Dadgar, Phillips,
 * Currey 2018). Start with {@link org.quorumail.gossip.swim.Swim}. One owner thread; time and
 * randomness are arguments. Knows no socket, file, thread, clock, mail or Raft.
 */
@NullMarked
package org.quorumail.gossip.swim;

import org.jspecify.annotations.NullMarked;
