/**
 * The replicated store of accepted mail: entries of the log, the state machine with its RocksDB
 * store and indexes, the intake that accepts mail, and what an owner does with it. Read {@code
 * docs/spool-states.md} first, then {@link org.quorumail.spool.Intake} (mail comes in) and {@link
 * org.quorumail.spool.OwnedSpool} (mail goes out). Threads: the applying thread of each group
 * writes the store, anybody reads it; one collector thread per spool. RFC 5321 §6.1. Must not know
 * sessions, DNS or HTTP.
 */
@NullMarked
package org.quorumail.spool;

import org.jspecify.annotations.NullMarked;
