/**
 * The replicated store of accepted mail: entries of the log, the state machine with its RocksDB
 * store and indexes, the way of mail in, the events of mail, the keys of requests, and the
 * ownership that lets mail out.
 *
 * <p>Read {@code docs/spool-states.md} first. Then {@link org.quorumail.spool.Intake} (mail comes
 * in), {@link org.quorumail.spool.OwnedSpool} (mail goes out) and {@code SpoolOwnership} (the
 * fence: which node may deliver). {@link org.quorumail.spool.Spools} holds all spools of a node.
 * The way in is {@code SpoolMessageWriter} → {@code Spool} → {@code EntryBatcher} → the log →
 * {@code SpoolState} → {@code EntryTransaction} → {@code SpoolStore}.
 *
 * <p>Threads: the applying thread of each group writes the store, any thread reads it. Virtual
 * threads: one per batcher, one per term that waits for its lease. Platform threads: one per
 * background task of {@code SpoolMaintenance}, and short ones for long native reads.
 *
 * <p>RFC 5321 §4.5.3.2.6, §6.1; RFC 3463; RFC 4865; RFC 6710. Must not know sessions, DNS or HTTP.
 */
@NullMarked
package org.quorumail.spool;

import org.jspecify.annotations.NullMarked;
