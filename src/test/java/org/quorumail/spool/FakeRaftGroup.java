package org.quorumail.spool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.replication.NoQuorumException;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.replication.ReplicatedState;

/**
 * A Raft group in memory: one list of entries, applied in order by one thread to every replica. The
 * test decides who leads, whether the lease is held and whether a quorum answers.
 */
final class FakeRaftGroup implements AutoCloseable {
  final AtomicInteger snapshotRequests = new AtomicInteger();
  private final String name;
  private final ExecutorService applying = Executors.newSingleThreadExecutor();
  private final List<ReplicatedState> replicas = new ArrayList<>();
  private final List<Logged> entries = new CopyOnWriteArrayList<>();
  private final AtomicLong term = new AtomicLong();
  private volatile @Nullable FakeLeadership leadership;
  private volatile int leader = -1;
  private volatile Quorum quorum = Quorum.ANSWERS;
  private final AtomicInteger appends = new AtomicInteger();
  private final AtomicInteger swaps = new AtomicInteger();
  private volatile @Nullable Runnable overtaken;

  enum Quorum {
    ANSWERS,
    /** Nothing is committed, which is known after the patience. */
    GONE,
    /** Nothing is committed, which is known at once. */
    REFUSES,
    /** Entries are committed, but whoever appended does not hear of it. */
    COMMITS_IN_SILENCE
  }

  record Logged(LogPosition position, byte[] bytes) {}

  FakeRaftGroup(String name) {
    this.name = name;
  }

  /** Adds a replica and opens it; the log is as that node sees it. */
  ReplicatedLog join(ReplicatedState state) throws IOException {
    state.open();
    replicas.add(state);
    return new FakeLog(replicas.size() - 1);
  }

  /** Makes a replica the ready leader of the next term. */
  FakeLeadership elect(int replica) {
    return elect(replica, true);
  }

  /** The same, with or without the lease. */
  FakeLeadership elect(int replica, boolean lease) {
    return electLater(replica, lease).orTimeout(10, TimeUnit.SECONDS).join();
  }

  /** The same, behind what the applying thread has to do. */
  CompletableFuture<FakeLeadership> electLater(int replica, boolean lease) {
    return CompletableFuture.supplyAsync(
        () -> {
          depose();
          FakeLeadership elected = new FakeLeadership(term.incrementAndGet());
          elected.lease = lease;
          leadership = elected;
          leader = replica;
          entries.add(new Logged(next(), new byte[0]));
          try {
            for (ReplicatedState r : replicas) r.skip(entries.getLast().position);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          replicas.get(replica).becomeLeader(elected);
          return elected;
        },
        applying);
  }

  /** Nobody leads. */
  void deposeLeader() {
    await(
        () -> {
          depose();
          return 0;
        });
  }

  void quorum(Quorum quorum) {
    this.quorum = quorum;
  }

  /** Stops the applying thread until the answer is completed. */
  CompletableFuture<Void> block() {
    CompletableFuture<Void> released = new CompletableFuture<>();
    applying.execute(released::join);
    return released;
  }

  /**
   * Lets each of the next appends be overtaken by the one after it, as by a retry at a new leader.
   */
  void swapNextAppends(int pairs) {
    swaps.set(pairs);
  }

  List<Logged> entries() {
    return List.copyOf(entries);
  }

  /** The number of appends, committed or not. */
  int appends() {
    return appends.get();
  }

  /** Waits until everything appended so far is applied. */
  void settle() {
    await(() -> 0);
  }

  @Override
  public void close() {
    applying.shutdownNow();
  }

  private void depose() {
    FakeLeadership former = leadership;
    if (former == null) return;
    former.over = true;
    int was = leader;
    leadership = null;
    leader = -1;
    replicas.get(was).becomeFollower();
  }

  private LogPosition next() {
    return new LogPosition(term.get(), entries.size());
  }

  private byte[] commit(byte[] entry) throws IOException {
    LogPosition position = next();
    entries.add(new Logged(position, entry));
    byte[] answer = {};
    for (int i = 0; i < replicas.size(); i++) {
      byte[] own = replicas.get(i).apply(position, ByteBuffer.wrap(entry).asReadOnlyBuffer());
      if (i == leader) answer = own;
    }
    return answer;
  }

  private <T> T await(java.util.concurrent.Callable<T> work) {
    try {
      return applying.submit(work).get(10, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError("the fake group failed", e);
    }
  }

  /** Leadership whose lease the test holds or not. */
  static final class FakeLeadership implements Leadership {
    private final long term;
    volatile boolean lease = true;

    /** Whether a quorum answers a leader without a lease. */
    volatile boolean answered;

    private volatile boolean over;

    FakeLeadership(long term) {
      this.term = term;
    }

    @Override
    public long term() {
      return term;
    }

    @Override
    public boolean hasLease() {
      return lease && !over;
    }

    @Override
    public boolean hasQuorum() {
      return (lease || answered) && !over;
    }
  }

  private final class FakeLog implements ReplicatedLog {
    private final int replica;

    FakeLog(int replica) {
      this.replica = replica;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public CompletableFuture<AppendResult> append(byte[] entry, Duration patience) {
      appends.incrementAndGet();
      CompletableFuture<AppendResult> answer = new CompletableFuture<>();
      if (quorum == Quorum.GONE || leader < 0) {
        return answer
            .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS)
            .exceptionallyCompose(
                e -> CompletableFuture.failedFuture(new NoQuorumException("no quorum")));
      }
      if (quorum == Quorum.REFUSES) {
        return CompletableFuture.failedFuture(new NoQuorumException("refused"));
      }
      boolean silent = quorum == Quorum.COMMITS_IN_SILENCE;
      inOrder(
          () -> {
            try {
              byte[] bytes = commit(entry);
              if (!silent) answer.complete(new AppendResult(entries.getLast().position, bytes));
            } catch (IOException | RuntimeException e) {
              answer.completeExceptionally(e);
            }
          });
      if (!silent) return answer;
      return answer
          .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS)
          .exceptionallyCompose(
              e -> CompletableFuture.failedFuture(new NoQuorumException("no answer")));
    }

    private void inOrder(Runnable commit) {
      Runnable first = overtaken;
      if (first == null && swaps.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
        overtaken = commit;
        return;
      }
      overtaken = null;
      applying.execute(commit);
      if (first != null) applying.execute(first);
    }

    @Override
    public Optional<Leadership> leadership() {
      return leader == replica ? Optional.ofNullable(leadership) : Optional.empty();
    }

    @Override
    public Optional<String> leader() {
      return leader < 0 ? Optional.empty() : Optional.of("node-" + (leader + 1));
    }

    @Override
    public boolean isFollowing() {
      return leader >= 0 && leader != replica;
    }

    @Override
    public void requestSnapshot() {
      snapshotRequests.incrementAndGet();
    }

    @Override
    public boolean transferLeadership(String peer, Duration patience) {
      return false;
    }
  }
}
