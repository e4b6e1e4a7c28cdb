/**
 * Apache Ratis behind our words: a group's log, append, apply, snapshot, ready leader, term, lease.
 * Start with {@link org.quorumail.replication.ReplicatedLog} (what a user appends to) and {@link
 * org.quorumail.replication.ReplicatedState} (what committed entries are applied to). Threads:
 * those of Ratis; one applies per group. The Raft paper (Ongaro and Ousterhout, 2014). Knows
 * nothing of mail.
 */
@NullMarked
package org.quorumail.replication;

import org.jspecify.annotations.NullMarked;
