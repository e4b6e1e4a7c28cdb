package org.quorumail.replication;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The state to which the entries of one group are applied. All methods but {@link #applied}, {@link
 * #check}, {@link #becomeLeader} and {@link #becomeFollower} are called by one thread at a time.
 * {@code becomeLeader} and {@code becomeFollower} alternate, in order, but may be called while
 * another thread applies. Applying is deterministic: no clock, no randomness, nothing that can fail
 * differently on another node. An exception from {@link #apply} stops the node: a replica that
 * cannot apply must not continue.
 */
public interface ReplicatedState {
  /** Opens what is on disk; entries after {@link #applied} are applied next. */
  void open() throws IOException;

  /** The last position whose effect is in the state (and will be found again after a restart). */
  LogPosition applied();

  /**
   * Refuses an entry that {@link #apply} could not read. The leader calls it before it appends the
   * entry of any sender. Once in the log, such an entry would stop every replica at every start.
   * Any thread may call it at any time.
   *
   * @param entry read-only, valid only during the call
   * @throws IOException with one sentence about the entry
   */
  void check(ByteBuffer entry) throws IOException;

  /**
   * Applies a committed entry and moves {@link #applied} to its position atomically with it.
   *
   * <p>An append is repeated under its call id when a leader fails, and the next leader recognises
   * it, unless that leader has learned the entry from a snapshot or has been restarted since: so an
   * entry with an id of its own should be idempotent.
   *
   * @param entry read-only, valid only during the call
   * @return the reply for the caller that appended it
   */
  byte[] apply(LogPosition position, ByteBuffer entry) throws IOException;

  /** Moves {@link #applied} over an entry without content (Raft's own). */
  void skip(LogPosition position) throws IOException;

  /**
   * Writes a self-contained copy into the directory, which exists and is empty, and forces it to
   * disk, file and directory; applying goes on only after the return.
   */
  LogPosition snapshot(Path directory) throws IOException;

  /**
   * Replaces the whole state by a snapshot that another replica wrote, and has it on disk before
   * the return. Open before and after. The directory is kept, to be sent on to other replicas: its
   * files must not be moved or changed, but immutable ones may be hard-linked. After a crash
   * within, it is called again at the next start if {@link #applied} is older than the snapshot.
   */
  void install(Path directory) throws IOException;

  /** This node has become ready leader of the group. Must not block. */
  void becomeLeader(Leadership leadership);

  /** This node no longer leads the group. Must not block. */
  void becomeFollower();

  void close() throws IOException;
}
