package org.quorumail.spool;

import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * The memory outside the heap that all stores of a node share: one block cache, and one bound on
 * unflushed writes. Closed after the last store.
 */
public final class StoreMemory implements AutoCloseable {
  /** Blocks of keys and envelopes; contents are read once and are not cached. */
  private static final long CACHE_BYTES = 32L << 20;

  /** A large buffer: mail that is delivered and removed before a flush is never written twice. */
  private static final long WRITE_BUFFER_BYTES = 64L << 20;

  final Cache blocks;
  final WriteBufferManager writeBuffers;

  public StoreMemory() {
    RocksDB.loadLibrary();
    // unflushed writes are charged to the cache, so that both together have one bound
    blocks = new LRUCache(CACHE_BYTES + WRITE_BUFFER_BYTES);
    writeBuffers = new WriteBufferManager(WRITE_BUFFER_BYTES, blocks);
  }

  @Override
  public void close() {
    writeBuffers.close();
    blocks.close();
  }
}
