package org.quorumail.spool;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.quorumail.replication.DamagedStorageException;
import org.quorumail.replication.Leadership;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.replication.ReplicatedState;
import org.quorumail.spool.SpoolEntry.NewMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One spool as this node holds it: its replica, its log, and whether this node owns it.
 *
 * <p>Ownership begins when this node is ready leader and holds the lease. The lease of a new leader
 * begins only after that of the former one is over (see {@link Leadership}), so there is nothing
 * more to wait for.
 *
 * <p>Threads: the applying thread tells of leadership and of what is due; one short-lived virtual
 * thread per term waits for the lease; anybody appends.
 */
public final class Spool implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Spool.class);

  private static final Duration LEASE_POLL = Duration.ofMillis(10);

  /** After a quorum has failed to answer, mail is not sent here again for this long. */
  private static final long AVOID_AFTER_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final String name;
  private final String home;
  private final String self;
  private final OwnershipListener listener;
  private final SpoolMetrics meters;
  private final SpoolStore store;
  private final SpoolState state;
  private volatile @Nullable Attached attached;
  private volatile @Nullable Unanswered unanswered;
  private @Nullable Leadership leadership;
  private volatile @Nullable OwnedTerm ownedSpool;

  /** What exists once the group is open. */
  private record Attached(ReplicatedLog log, EntryBatcher collector) {}

  private record Unanswered(long nanos) {}

  Spool(
      String name,
      String home,
      String self,
      Path directory,
      StoreMemory memory,
      OwnershipListener listener,
      SpoolMetrics meters,
      Consumer<? super DamagedStorageException> onDamage) {
    this.name = name;
    this.home = home;
    this.self = self;
    this.listener = listener;
    this.meters = meters;
    this.store = new SpoolStore(directory, memory, onDamage);
    this.state = new SpoolState(store, new Ownership());
  }

  /** What the entries of the group are applied to. */
  public ReplicatedState state() {
    return state;
  }

  /** Gives the spool its log, which may have begun to apply and to lead before. */
  public synchronized void attach(ReplicatedLog log) {
    var collector =
        new EntryBatcher(log, () -> CommitDeadline.entryTimeout(this), meters.batchSize::record);
    attached = new Attached(log, collector);
    Leadership current = leadership;
    if (current != null) awaitLease(current);
  }

  /** The group's name. */
  public String name() {
    return name;
  }

  /** The node whose spool it is. */
  public String home() {
    return home;
  }

  public boolean isHome() {
    return home.equals(self);
  }

  /** Present while this node owns the spool. */
  public Optional<OwnedSpool> ownedSpool() {
    return Optional.ofNullable(ownedSpool);
  }

  /** Deliveries from here whose final dot is out and whose outcome is not committed. */
  public long inDoubt() {
    OwnedTerm current = ownedSpool;
    return current == null ? 0 : current.inDoubt();
  }

  /** Whether this node leads the group at the moment. */
  public boolean isLeader() {
    Attached a = attached;
    return a != null && a.log.leadership().isPresent();
  }

  /** The node that leads the group, as far as this one knows. */
  public Optional<String> leader() {
    Attached a = attached;
    return a == null ? Optional.empty() : a.log.leader();
  }

  /** What is in the replica that this node holds. */
  public SpoolCounters counters() {
    return store.counters();
  }

  SpoolStore store() {
    return store;
  }

  /** Whether mail sent here now will probably be committed. */
  boolean canAccept() {
    Attached a = attached;
    if (a == null) return false;
    Optional<Leadership> mine = a.log.leadership();
    if (mine.isEmpty() && a.log.leader().isEmpty()) return false;
    Unanswered last = unanswered;
    if (last == null || System.nanoTime() - last.nanos > AVOID_AFTER_TIMEOUT_NANOS) return true;
    return mine.isPresent() && mine.get().hasLease();
  }

  /**
   * Whether the replica makes progress: no entry takes that long, and while this node leads, some
   * entry is applied now and then, since an idle leader appends one without content.
   */
  public boolean isProgressing(Duration patience) {
    boolean expected = state.isBusy() || isLeader();
    return !expected || state.stalledFor().compareTo(patience) < 0;
  }

  /** Whether this node leads the group and a quorum has answered it a moment ago. */
  boolean hasQuorum() {
    Attached a = attached;
    return a != null && a.log.leadership().map(Leadership::hasLease).orElse(false);
  }

  /** Told when a quorum has answered, or has not. */
  void answered(boolean inTime) {
    if (!inTime) unanswered = new Unanswered(System.nanoTime());
    else if (unanswered != null) unanswered = null;
  }

  CompletableFuture<ApplyResult> accept(NewMessage message, long deadline)
      throws InterruptedException {
    return attached().collector.submit(new SpoolEntry.Accept(List.of(message)), deadline);
  }

  CompletableFuture<ApplyResult> append(SpoolEntry entry, Duration patience) {
    return append(SpoolEntryFormat.write(entry), patience);
  }

  CompletableFuture<ApplyResult> append(byte[] entry, Duration patience) {
    return attached()
        .log
        .append(entry, patience)
        .thenApply(reply -> ApplyResult.decode(reply.reply(), 0));
  }

  /** Whether the group is open, and with it the replica. */
  boolean isOpen() {
    return attached != null;
  }

  /** Bytes of the replica's files at the moment. */
  long fileBytes() {
    return store.fileBytes();
  }

  /** Bytes of the replica's files. */
  public record Compaction(long bytesBefore, long bytesAfter) {}

  /**
   * Rewrites the replica's files without what was deleted. Reads everything, writes all that is.
   */
  public Compaction compact() {
    return store.compact();
  }

  /** Ends ownership and refuses what waits; before the log is closed, which closes the replica. */
  @Override
  public void close() {
    Attached a = attached;
    if (a != null) a.collector.close();
    lose();
  }

  private Attached attached() {
    Attached a = attached;
    if (a == null) throw new IllegalStateException("the spool " + name + " is not open yet");
    return a;
  }

  private void awaitLease(Leadership current) {
    Thread.ofVirtual().name("lease-" + name).start(() -> ownOnceLeaseIsHeld(current));
  }

  private void ownOnceLeaseIsHeld(Leadership current) {
    try {
      while (isCurrent(current) && !current.hasLease()) Thread.sleep(LEASE_POLL);
      own(current);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized boolean isCurrent(Leadership candidate) {
    return leadership == candidate;
  }

  private synchronized void own(Leadership current) {
    Attached a = attached;
    if (leadership != current || a == null || ownedSpool != null) return;
    OwnedTerm mine = new OwnedTerm(name, current, a.log, a.collector, store, meters);
    if (!isHome()) meters.takeovers.increment();
    LOG.info(
        "event=spool_owned spool={} home={} term={} messages={}",
        name,
        home,
        current.term(),
        store.counters().messages());
    ownedSpool =
        mine; // from here on hints wait for the monitor, so none is missed or comes too early
    listener.spoolOwned(mine);
  }

  private synchronized void lose() {
    leadership = null;
    OwnedTerm former = ownedSpool;
    if (former == null) return;
    ownedSpool = null;
    former.close();
    LOG.info("event=spool_lost spool={} home={} term={}", name, home, former.term());
    listener.spoolLost(former);
  }

  private synchronized void lead(Leadership current) {
    lose();
    leadership = current;
    if (attached != null) awaitLease(current);
  }

  /** In the order in which it happens: {@code owned}, then {@code due}, then {@code lost}. */
  private synchronized void hint(SpooledMessage message) {
    OwnedTerm current = ownedSpool;
    if (current != null) {
      listener.messageDue(current, message.id(), List.copyOf(message.dueByDomain().keySet()));
    }
  }

  private final class Ownership implements SpoolState.StateListener {
    @Override
    public void messageDue(SpooledMessage message) {
      if (ownedSpool != null) hint(message);
    }

    @Override
    public void becomeLeader(Leadership current) {
      lead(current);
    }

    @Override
    public void becomeFollower() {
      lose();
    }
  }
}
