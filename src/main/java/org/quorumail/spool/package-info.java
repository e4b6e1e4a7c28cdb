/**
 * The replicated store of accepted mail: entries of the log, the state machine with its RocksDB
 * store and indexes, the intake that accepts mail, and what an owner does with it. Read {@code
 * docs/spool-states.md} first, then {@link org.quorumail.spool.Intake} (mail comes in) and {@link
 * org.quorumail.spool.OwnedSpool} (mail goes out). Then {@link org.quorumail.spool.Spools} (what a
 * node puts together), and inside: {@code SpoolMessageWriter} → {@code EntryBatcher} → the log →
 * {@code SpoolState} → {@code EntryTransaction} → {@code SpoolStore}. Threads: the applying thread
 * of each group writes the store, anybody reads it; virtual threads: one per spool's collector, two
 * that look after disk space and old uploads. RFC 5321 §4.5.3.2.6, §6.1; RFC 3463. Must not know
 * sessions, DNS or HTTP.
 */
@NullMarked
package org.quorumail.spool;

import org.jspecify.annotations.NullMarked;
