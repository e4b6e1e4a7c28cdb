package org.quorumail.replication;

import java.io.IOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.grpc.server.GrpcLogAppender;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.leader.FollowerInfo;
import org.apache.ratis.server.leader.LeaderState;
import org.apache.ratis.server.raftlog.RaftLogIOException;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.jspecify.annotations.Nullable;

/**
 * Ratis' sender of a leader to one follower, which also pins the snapshot that it sends. Ratis
 * opens the files one after the other and sends a snapshot on the sender's only thread, so a
 * transfer has ended when the thread asks for the next one.
 *
 * <p>Ratis lets eight chunks be unanswered. When the follower goes away, the thread waits 24 to 48
 * seconds for room to send the next one, and sends no heartbeat either. {@link #checkProgress}
 * shortens that.
 */
final class SnapshotPinningAppender extends GrpcLogAppender implements SnapshotFiles.Sender {
  /** The longest time without an answer; a chunk of 4 MB is written in much less. */
  private static final long SILENCE_NANOS_MAX = Duration.ofSeconds(5).toNanos();

  private final SnapshotFiles snapshots;
  private final Object lock = new Object();

  /** The thread of this sender while it has more chunks to send; written under {@link #lock}. */
  private volatile @Nullable Thread sending;

  private long startedNanos;

  /** Whether the interrupt is ours, and to be cleared; written under {@link #lock}. */
  private volatile boolean interrupted;

  /** Only the thread of this sender uses it. */
  private boolean pinned;

  SnapshotPinningAppender(
      RaftServer.Division division,
      LeaderState leader,
      FollowerInfo follower,
      SnapshotFiles snapshots) {
    super(division, leader, follower);
    this.snapshots = snapshots;
  }

  @Override
  public @Nullable SnapshotInfo shouldInstallSnapshot() {
    endTransfer();
    if (!shouldInstallSnapshot(snapshots.getLatestSnapshot() != null)) return null;
    pinned = true;
    return snapshots.pinLatest(this);
  }

  /** Called for each append, and first after a transfer. */
  @Override
  public @Nullable AppendEntriesRequestProto newAppendEntriesRequest(long callId, boolean heartbeat)
      throws RaftLogIOException {
    endSending();
    return super.newAppendEntriesRequest(callId, heartbeat);
  }

  @Override
  public void run() throws IOException {
    try {
      super.run();
    } finally {
      endTransfer();
    }
  }

  @Override
  public Iterable<InstallSnapshotRequestProto> newInstallSnapshotRequests(
      String requestId, SnapshotInfo snapshot) {
    var requests = super.newInstallSnapshotRequests(requestId, snapshot);
    return () -> new Chunks(requests.iterator());
  }

  @Override
  public void checkProgress() {
    long silent = getFollower().getLastRpcResponseTime().elapsedTime().toLong(TimeUnit.NANOSECONDS);
    synchronized (lock) {
      Thread thread = sending;
      if (thread == null || silent < SILENCE_NANOS_MAX) return;
      if (System.nanoTime() - startedNanos < SILENCE_NANOS_MAX) return;
      sending = null;
      interrupted = true;
      thread.interrupt(); // the sender ends this transfer and begins another
    }
  }

  private void beginSending() {
    synchronized (lock) {
      sending = Thread.currentThread();
      startedNanos = System.nanoTime();
    }
  }

  private void endTransfer() {
    endSending();
    if (pinned) snapshots.unpin(this);
    pinned = false;
  }

  private void endSending() {
    if (sending == null && !interrupted) return;
    synchronized (lock) {
      sending = null;
      if (interrupted) Thread.interrupted();
      interrupted = false;
    }
  }

  private final class Chunks implements Iterator<InstallSnapshotRequestProto> {
    private final Iterator<InstallSnapshotRequestProto> chunks;

    Chunks(Iterator<InstallSnapshotRequestProto> chunks) {
      this.chunks = chunks;
      beginSending();
    }

    @Override
    public boolean hasNext() {
      boolean more = chunks.hasNext();
      if (!more) endSending();
      return more;
    }

    @Override
    public InstallSnapshotRequestProto next() {
      return chunks.next();
    }
  }
}
