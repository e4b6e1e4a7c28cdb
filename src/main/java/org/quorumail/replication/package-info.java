/**
 * Replication by Raft, an adapter around Apache Ratis: a group's log, append, apply, snapshot,
 * ready leader, term, lease.
 *
 * <p>Start with {@link org.quorumail.replication.ReplicatedLog} (what a user appends to) and {@link
 * org.quorumail.replication.ReplicatedState} (what committed entries are applied to); {@link
 * org.quorumail.replication.RaftNode} makes one from the other. Inside, {@code RatisLog} and {@code
 * PendingAppend} carry an entry to the leader, {@code ReplicaStateMachine} applies it, {@code
 * LeaderLease} argues why a lease is exclusive, and {@code PinnedProperties} holds every setting of
 * Ratis with its reason.
 *
 * <p>Threads are those of Ratis; one applies per group. Appends complete on the applying thread or
 * on a thread of the transport, so what depends on them must not block. Two timer threads per node
 * repeat appends, end them at their timeouts and find silent connections ({@code
 * StalledConnectionDetector}); one more records how far each log is forced. A short thread renews
 * the connections to a node.
 *
 * <p>One class stands outside: {@code org.apache.ratis.util.AtomicFileOutputStream} replaces that
 * of Ratis, which forgets to force a directory; our classes must come first on the class path.
 *
 * <p>Basis: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014);
 * Ongaro's thesis, chapter 6, for leases and transfers. Must not know mail.
 */
@NullMarked
package org.quorumail.replication;

import org.jspecify.annotations.NullMarked;
