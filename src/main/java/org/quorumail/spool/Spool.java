package org.quorumail.spool;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.LogPosition;
import org.quorumail.replication.ReplicatedLog;

/**
 * One spool as this node holds it: its replica, its log, and the ownership of it. The group is open
 * for as long as this object exists. Thread-safe.
 */
public final class Spool implements AutoCloseable {
  /** After a commit that no quorum answered in time, mail is not sent here again for this long. */
  private static final long AVOID_AFTER_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final String home;
  private final boolean isHome;
  private final SpoolStore store;
  private final SpoolState state;
  private final SpoolOwnership ownership;
  private final ReplicatedLog log;
  private final EntryBatcher batcher;
  private final SpoolMetrics metrics;
  private final Spools spools;
  private volatile long avoidUntilNanos = System.nanoTime();

  private Spool(
      Spools spools,
      String home,
      boolean isHome,
      SpoolState state,
      SpoolOwnership ownership,
      ReplicatedLog log,
      EntryBatcher batcher) {
    this.spools = spools;
    this.home = home;
    this.isHome = isHome;
    this.store = state.store();
    this.state = state;
    this.ownership = ownership;
    this.log = log;
    this.batcher = batcher;
    this.metrics = spools.metrics();
  }

  /** Starts to batch entries for the log, and lets the spool be owned. */
  static Spool start(
      Spools spools,
      String home,
      boolean isHome,
      SpoolState state,
      SpoolOwnership ownership,
      ReplicatedLog log) {
    SpoolMetrics metrics = spools.metrics();
    EntryBatcher batcher =
        EntryBatcher.start(log, () -> CommitDeadline.entryTimeout(log), metrics.batchSize::record);
    Spool spool = new Spool(spools, home, isHome, state, ownership, log, batcher);
    ownership.start(
        term ->
            new OwnedTerm(
                log.name(), term, ownership, state.store(), batcher, metrics, spool::eventMillis));
    return spool;
  }

  /** The group's name. */
  public String name() {
    return log.name();
  }

  /** The node whose spool it is. */
  public String home() {
    return home;
  }

  public boolean isHome() {
    return isHome;
  }

  /** Present while this node owns the spool. */
  public Optional<OwnedSpool> ownedSpool() {
    return ownership.owned().map(term -> term);
  }

  /** Deliveries from here whose final dot is out and whose outcome is not committed. */
  public long inDoubt() {
    return ownership.owned().map(OwnedTerm::inDoubt).orElse(0L);
  }

  /**
   * Whether this node owns the spool and holds the lease: its replica then has all that was
   * committed so far.
   */
  boolean isCurrent() {
    return ownership.owned().isPresent()
        && log.leadership().map(Leadership::hasLease).orElse(false);
  }

  /** Whether this node leads the group at the moment. */
  public boolean isLeader() {
    return log.leadership().isPresent();
  }

  /** Whether this node's replica is not yet brought up to date since this node holds the spool. */
  public boolean isJoining() {
    return log.isJoining();
  }

  /** The node that leads the group, as far as this one knows. */
  public Optional<String> leader() {
    return log.leader();
  }

  /** The position of the last entry that this node's replica has applied. */
  public LogPosition applied() {
    return state.applied();
  }

  /** The counts of this node's replica. */
  public SpoolCounters counters() {
    return store.counters();
  }

  /**
   * Whether the replica makes progress: no entry takes that long, and while this node leads, some
   * entry is applied now and then, since an idle leader appends one without content.
   */
  public boolean isProgressing(Duration timeout) {
    boolean expected = state.isBusy() || isLeader();
    return !expected || state.stalledFor().compareTo(timeout) < 0;
  }

  /** Whether a quorum has closed the spool for good, as this node's replica knows. */
  public boolean isClosedForGood() {
    return store.isClosedForGood();
  }

  /** Whether no message is in the spool or on its way into it, and no delivery is in doubt. */
  public boolean isDrained() {
    return store.counters().messages() == 0
        && inDoubt() == 0
        && store.uploadsBefore(Long.MAX_VALUE, 1).isEmpty();
  }

  /**
   * Closes a drained spool for good: from then on no replica of it accepts a message. Blocks until
   * a quorum has it.
   *
   * @return false when a message came before, or no quorum answered in time
   */
  public boolean closeForGood(Duration timeout) throws InterruptedException {
    try {
      return append(new SpoolEntry.Close(), timeout).get(timeout.toMillis(), TimeUnit.MILLISECONDS)
          == ApplyResult.DONE;
    } catch (ExecutionException | TimeoutException e) {
      return false; // perhaps committed later
    }
  }

  /** Bytes of the replica's files. */
  public record Compaction(long bytesBefore, long bytesAfter) {}

  /** Rewrites the replica's files without deleted rows: reads and writes all of the rest. */
  public Compaction compact() {
    return store.compact();
  }

  /** Outcomes wait no longer for a later term of this node. */
  void drain() {
    ownership.drain();
  }

  /** Ends the ownership and refuses queued items. Called before the log is closed. */
  @Override
  public void close() {
    batcher.close();
    ownership.close();
  }

  /** Whether events of mail are written: all members of the spool know them, or did once. */
  boolean recordsEvents() {
    return store.eventSegment() >= 0 || spools.eventsKnown();
  }

  /** The time of an event that happens now; 0 when none is written. */
  long eventMillis() {
    return recordsEvents() ? spools.nowMillis() : 0;
  }

  SpoolStore store() {
    return store;
  }

  ReplicatedLog log() {
    return log;
  }

  /** Whether mail sent here now will probably be committed. */
  boolean canAccept() {
    if (store.isClosedForGood()) return false;
    Optional<Leadership> mine = log.leadership();
    if (mine.isEmpty() && log.leader().isEmpty()) return false;
    return !isAvoided() || mine.map(Leadership::hasLease).orElse(false);
  }

  /** Called when a quorum has answered in time, or has not. */
  void commitAnswered(boolean inTime) {
    if (!inTime) avoidUntilNanos = System.nanoTime() + AVOID_AFTER_TIMEOUT_NANOS;
    else if (isAvoided()) avoidUntilNanos = System.nanoTime();
  }

  /**
   * Blocks until a quorum has the entry that accepts a message.
   *
   * @param bytes of the message
   * @throws IOException when it is not known to be
   */
  ApplyResult commit(SpoolEntry entry, long bytes, CommitDeadline deadline) throws IOException {
    long started = System.nanoTime();
    CompletableFuture<ApplyResult> pending = null;
    try {
      pending = batcher.submit(entry, deadline.currentNanos());
      ApplyResult result = deadline.await(pending);
      commitAnswered(true);
      if (result != ApplyResult.DONE) return result;
      metrics.commit.record(System.nanoTime() - started, TimeUnit.NANOSECONDS);
      metrics.bytes.increment((double) bytes);
      return result;
    } catch (ExecutionException | TimeoutException e) {
      if (pending != null) pending.cancel(false);
      commitAnswered(false);
      metrics.unanswered.increment();
      throw new IOException("no quorum of " + name() + " answered in time", e);
    } catch (InterruptedException e) {
      if (pending != null) pending.cancel(false);
      Thread.currentThread().interrupt();
      throw new IOException("the node is stopping", e);
    }
  }

  /** Appends an entry of its own, past the batcher. */
  CompletableFuture<ApplyResult> append(SpoolEntry entry, Duration timeout) {
    return append(SpoolEntryFormat.write(entry), timeout);
  }

  CompletableFuture<ApplyResult> append(byte[] entry, Duration timeout) {
    return log.append(entry, timeout).thenApply(reply -> ApplyResult.decode(reply.reply(), 0));
  }

  /** Appends entries that are applied together; the result of each. */
  CompletableFuture<List<ApplyResult>> appendAll(List<SpoolEntry> entries, Duration timeout) {
    byte[] batch = SpoolEntryFormat.write(new SpoolEntry.Batch(entries));
    return log.append(batch, timeout)
        .thenApply(
            reply ->
                IntStream.range(0, entries.size())
                    .mapToObj(i -> ApplyResult.decode(reply.reply(), i))
                    .toList());
  }

  private boolean isAvoided() {
    return avoidUntilNanos - System.nanoTime() > 0;
  }
}
