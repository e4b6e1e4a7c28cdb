/**
 * The elements that gossip's packages share: node ids, addresses, a hash, and the reader and writer
 * of the wire formats. Gossip is soft state only: no mail is lost or doubled by it.
 *
 * <p>There are two pure cores, {@link org.quorumail.gossip.swim.Swim} (membership) and {@link
 * org.quorumail.gossip.plumtree.Plumtree} (broadcasts), which do not know each other. A core is a
 * state machine with one owner. Each method is one event. It takes the time ({@code now}:
 * milliseconds on a monotonic clock of any origin) and returns the effects, which the driver
 * carries out in order. {@code nextDeadline()} is the time of the next {@code tick(now)}. The
 * random source is an argument, so the same events give the same effects.
 *
 * <p>The cores know no socket, file, thread, clock, configuration or metrics registry (a test reads
 * the byte code), and no mail or Raft. Their drivers are {@link org.quorumail.gossip.driver} for
 * the network and {@link org.quorumail.gossip.sim} for ten thousand nodes from one seed.
 *
 * <p>Start reading at {@link org.quorumail.gossip.swim.Swim}. Classes here are immutable or
 * confined to one codec call, so they have no thread of their own.
 */
@NullMarked
package org.quorumail.gossip;

import org.jspecify.annotations.NullMarked;
