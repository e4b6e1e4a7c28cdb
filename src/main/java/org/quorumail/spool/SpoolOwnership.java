package org.quorumail.spool;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.quorumail.replication.Leadership;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The fence of one spool on this node: whether this node owns the spool, and whether it may deliver
 * from it at this instant. Every such question is answered here and nowhere else.
 *
 * <p>A <em>leader</em> is elected and has applied all older entries (Raft). Its <em>lease</em> is
 * the time within which no other node can have been elected ({@link Leadership#hasLease}). The
 * <em>owner</em> is the leader from the first moment of its lease on, until its term ends. The
 * owner <em>may deliver</em> while the lease is held. The lease of a new leader begins only after
 * that of the former one is over, so at most one node owns a spool and may deliver from it.
 *
 * <pre>
 * state            leader of term t     lease of s held    follower      close
 * Follower         AwaitingLease(t)     –                  Follower      Closed
 * AwaitingLease(s) AwaitingLease(t)     Owner(s)           Follower      Closed
 * Owner(s)         AwaitingLease(t) *   –                  Follower *    Closed *
 * Closed           Closed               Closed             Closed        Closed
 * </pre>
 *
 * At an asterisk the owner's term ends, and the listener gets {@code spoolLost}; on the way to
 * {@code Owner} it gets {@code spoolOwned}. Terms only grow. The lease is not waited for before
 * {@link #start}, which is when the log can be appended to.
 *
 * <p>Outcomes that an attempt has read when its term ends are not lost if this node owns the spool
 * again ({@link #awaitRecorder}). They may be committed in a later term of this node as long as no
 * other node has owned the spool in between, which the replica knows: an owner has committed the
 * first entry of its term, and this node applies it before it leads again. Another owner may have
 * begun attempts that nobody sees, so one applied entry of its term ends the hand-over. So does an
 * installed snapshot, which hides the terms that it covers.
 *
 * <p>Threads: the applying thread and Ratis' threads report leadership and due messages; one
 * short-lived virtual thread per term waits for the lease; any thread asks. Transitions and calls
 * of the listener are under the monitor, so {@code spoolOwned}, {@code messageDue} and {@code
 * spoolLost} come in the order in which they happen.
 */
final class SpoolOwnership implements SpoolState.StateListener, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SpoolOwnership.class);
  private static final Duration LEASE_POLL = Duration.ofMillis(10);

  /**
   * The longest wait of outcomes for the next term of this node: longer than elections, a switch
   * that restarts or a disk that stalls. An attempt keeps its place while it waits, and without a
   * quorum there is hardly other work for it.
   */
  private static final Duration RECORDER_TIMEOUT = Duration.ofMinutes(2);

  /** A new leader is ready at once after the first entry of its term. */
  private static final Duration READY_GRACE = Duration.ofSeconds(1);

  private final String spool;
  private final String home;
  private final boolean isHome;
  private final OwnershipListener listener;
  private final SpoolMetrics metrics;
  private @Nullable LongFunction<OwnedTerm> newTerm;
  private long lastTerm;

  /** The first term of this node since which no other node has owned the spool. */
  private long unbrokenSince;

  /** The latest two terms of applied entries, and the time of the first entry of the latest. */
  private long appliedTerm;

  private long appliedTermBefore;
  private long appliedTermNanos = System.nanoTime();

  /** Set when terms have passed that this replica has not seen. */
  private boolean hasSkippedTerms;

  private long lostAtNanos = System.nanoTime();
  private boolean draining;
  private volatile State state = new State.Follower();

  /** A row of the table above. */
  sealed interface State {
    record Follower() implements State {}

    record AwaitingLease(Leadership leadership) implements State {}

    record Owner(Leadership leadership, OwnedTerm term) implements State {}

    record Closed() implements State {}
  }

  /**
   * @param home the node whose spool it is
   * @param isHome whether that is this node
   */
  SpoolOwnership(
      String spool, String home, boolean isHome, OwnershipListener listener, SpoolMetrics metrics) {
    this.spool = spool;
    this.home = home;
    this.isHome = isHome;
    this.listener = listener;
    this.metrics = metrics;
  }

  /** Lets the spool be owned from now on; this node may lead the group already. */
  synchronized void start(LongFunction<OwnedTerm> factory) {
    newTerm = factory;
    if (state instanceof State.AwaitingLease waiting) awaitLease(waiting.leadership());
  }

  State state() {
    return state;
  }

  /** Present while this node owns the spool. */
  Optional<OwnedTerm> owned() {
    return state instanceof State.Owner owner ? Optional.of(owner.term()) : Optional.empty();
  }

  /** Whether results of this term may still be committed: the term has not ended here. */
  boolean owns(OwnedTerm term) {
    return state instanceof State.Owner owner && owner.term() == term;
  }

  /** Whether an attempt of this term may begin, go on or send its final dot at this instant. */
  boolean mayDeliver(OwnedTerm term) {
    return state instanceof State.Owner owner
        && owner.term() == term
        && owner.leadership().hasLease();
  }

  /**
   * Returns the owned term that may commit the outcomes of an attempt of the given term: the term
   * itself, or a later one of this node if no other node has owned the spool in between. Waits for
   * such a term within a limit. The caller lets no other attempt begin for the same recipients.
   *
   * @return empty when another node may have begun an attempt, after the limit, and when this node
   *     stops
   */
  synchronized Optional<OwnedTerm> awaitRecorder(OwnedTerm former) throws InterruptedException {
    while (!(state instanceof State.Owner)) {
      long now = System.nanoTime();
      long left = lostAtNanos + RECORDER_TIMEOUT.toNanos() - now;
      boolean over = state instanceof State.Closed || draining || left <= 0;
      if (over || isOwnedElsewhere(now)) return Optional.empty();
      TimeUnit.NANOSECONDS.timedWait(this, Math.min(left, READY_GRACE.toNanos() / 2) + 1_000_000);
    }
    return former.term() >= unbrokenSince ? owned() : Optional.empty();
  }

  /** Whether an entry of a leader after this node's last term was applied, or skipped. */
  private boolean isOwnedElsewhere(long now) {
    boolean isFollower = state instanceof State.Follower;
    boolean isLaterTerm = appliedTerm > lastTerm && now - appliedTermNanos > READY_GRACE.toNanos();
    return isFollower && (isLaterTerm || hasSkippedTerms);
  }

  /** Ends the wait for a later term: a node that stops gets none. */
  synchronized void drain() {
    draining = true;
    notifyAll();
  }

  @Override
  public synchronized void termApplied(long term) {
    if (term <= appliedTerm) return;
    appliedTermBefore = appliedTerm;
    appliedTerm = term;
    appliedTermNanos = System.nanoTime();
  }

  @Override
  public synchronized void termsSkipped() {
    hasSkippedTerms = true;
    notifyAll();
  }

  @Override
  public synchronized void becomeLeader(Leadership leadership) {
    if (state instanceof State.Closed) return;
    if (leadership.term() <= lastTerm) {
      throw new IllegalStateException(
          "spool %s: term %d follows term %d".formatted(spool, leadership.term(), lastTerm));
    }
    long previous = appliedTerm < leadership.term() ? appliedTerm : appliedTermBefore;
    if (previous > lastTerm || hasSkippedTerms) unbrokenSince = leadership.term();
    hasSkippedTerms = false;
    lastTerm = leadership.term();
    leave(new State.AwaitingLease(leadership));
    if (newTerm != null) awaitLease(leadership);
  }

  @Override
  public synchronized void becomeFollower() {
    if (!(state instanceof State.Closed)) leave(new State.Follower());
  }

  @Override
  public void messageDue(SpooledMessage message) {
    if (state instanceof State.Owner) notifyDue(message); // else without the monitor
  }

  @Override
  public synchronized void messageRetried(SpooledMessage message) {
    if (!(state instanceof State.Owner owner)) return;
    listener.messageRetried(
        owner.term(), message.id(), List.copyOf(message.dueByDomain().keySet()));
  }

  /** Ends the ownership for good. */
  @Override
  public synchronized void close() {
    leave(new State.Closed());
  }

  private void awaitLease(Leadership leadership) {
    Thread.ofVirtual().name("lease-" + spool).start(() -> ownWhenLeaseIsHeld(leadership));
  }

  private void ownWhenLeaseIsHeld(Leadership leadership) {
    try {
      while (isAwaited(leadership) && !leadership.hasLease()) Thread.sleep(LEASE_POLL);
      leaseHeld(leadership);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isAwaited(Leadership candidate) {
    return state instanceof State.AwaitingLease waiting && waiting.leadership() == candidate;
  }

  private synchronized void leaseHeld(Leadership leadership) {
    LongFunction<OwnedTerm> factory = newTerm;
    if (!isAwaited(leadership) || factory == null) return;
    OwnedTerm term = factory.apply(leadership.term());
    if (!isHome) metrics.takeovers.increment();
    LOG.info(
        "event=spool_owned spool={} home={} term={} messages={}",
        spool,
        home,
        term.term(),
        term.messages());
    // from here on hints wait for the monitor, so none is missed or comes before spoolOwned
    state = new State.Owner(leadership, term);
    notifyAll();
    listener.spoolOwned(term);
  }

  private void leave(State next) {
    State former = state;
    state = next;
    notifyAll();
    if (!(former instanceof State.Owner owner)) return;
    OwnedTerm term = owner.term();
    lostAtNanos = System.nanoTime();
    LOG.info("event=spool_lost spool={} home={} term={}", spool, home, term.term());
    listener.spoolLost(term);
  }

  private synchronized void notifyDue(SpooledMessage message) {
    if (!(state instanceof State.Owner owner)) return;
    OwnedTerm term = owner.term();
    listener.messageDue(term, message.id(), List.copyOf(message.dueByDomain().keySet()));
  }
}
