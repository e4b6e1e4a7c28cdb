/**
 * The pure core of broadcasts: Plumtree (Leitão, Pereira, Rodrigues 2007). Start with {@link
 * org.quorumail.gossip.plumtree.Plumtree}. One owner thread; time and randomness are arguments.
 * Knows no socket, file, thread, clock, mail or Raft.
 */
@NullMarked
package org.quorumail.gossip.plumtree;

import org.jspecify.annotations.NullMarked;
