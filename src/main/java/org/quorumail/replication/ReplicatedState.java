package org.quorumail.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * What the entries of one group are applied to. All methods but {@link #applied} are called by one
 * thread at a time. Applying is deterministic: no clock, no randomness, nothing that can fail
 * differently on another node. An exception from {@link #apply} stops the node: a replica that
 * cannot apply must not go on.
 */
public interface ReplicatedState {
  /** Opens what is on disk; entries after {@link #applied} are applied next. */
  void open() throws IOException;

  /** The last position whose effect is in the state (and will be found again after a restart). */
  Position applied();

  /**
   * Applies a committed entry and moves {@link #applied} to its position atomically with it.
   *
   * @param entry read-only, valid only during the call
   * @return the answer for whoever appended it
   */
  byte[] apply(Position position, ByteBuffer entry) throws IOException;

  /** Moves {@link #applied} over an entry without content (Raft's own). */
  void skip(Position position) throws IOException;

  /**
   * Writes a self-contained copy into the directory, which exists and is empty, and forces it to
   * disk, file and directory; applying goes on only after the return.
   */
  Position snapshot(Path directory) throws IOException;

  /** Replaces the whole state by a snapshot that another replica wrote. Open before and after. */
  void install(Path directory) throws IOException;

  /** This node has become ready leader of the group. Must not block. */
  void led(Leadership leadership);

  /** This node no longer leads the group. Must not block. */
  void followed();

  void close() throws IOException;
}
