package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.quorumail.mail.QueueId;
import org.quorumail.replication.Leadership;
import org.quorumail.spool.SpoolOwnership.State;

/** The table in the comment of {@link SpoolOwnership}, row by row, without a log or a store. */
class SpoolOwnershipTransitionsTest {
  private final List<String> events = new CopyOnWriteArrayList<>();
  private final SpoolMetrics metrics = new SpoolMetrics(new SimpleMeterRegistry());
  private final SpoolOwnership ownership =
      new SpoolOwnership("spool-a", "a", false, new Recorder(), metrics);

  @Test
  void aFollowerBecomesOwnerOnlyWithTheLease() {
    start();
    TestLease lease = lead(1);
    assertThat(ownership.state()).isInstanceOf(State.AwaitingLease.class);
    assertThat(ownership.owned()).isEmpty();

    lease.held = true;

    OwnedTerm term = awaitOwner();
    assertThat(term.term()).isEqualTo(1);
    assertThat(term.mayDeliver()).isTrue();
    assertThat(events).containsExactly("owned 1");
    assertThat(metrics.takeovers.count()).isOne();
  }

  @Test
  void theOwnerMayNotDeliverWhileTheLeaseIsNotHeldButStillOwns() {
    start();
    TestLease lease = leadWithLease(1);
    OwnedTerm term = awaitOwner();

    lease.held = false;

    assertThat(ownership.mayDeliver(term)).isFalse();
    assertThat(term.enterDoubt(3)).isEmpty();
    assertThat(term.inDoubt()).isZero();
    assertThat(ownership.owns(term)).isTrue();
  }

  @Test
  void aFormerTermMayDoNothingThoughItsLeaseWereStillHeld() {
    start();
    leadWithLease(1);
    OwnedTerm former = awaitOwner();

    leadWithLease(2);
    await().until(() -> ownership.owned().isPresent());

    assertThat(former.mayDeliver()).isFalse();
    assertThat(ownership.owns(former)).isFalse();
    assertThat(awaitOwner().mayDeliver()).isTrue();
    assertThat(events).containsExactly("owned 1", "lost 1", "owned 2");
  }

  @Test
  void outcomesOfAFormerTermMayBeRecordedWhileOnlyThisNodeHasLed() throws Exception {
    start();
    ownership.termApplied(1);
    leadWithLease(1);
    OwnedTerm former = awaitOwner();
    ownership.becomeFollower();
    ownership.termApplied(2);
    lead(2); // never an owner
    ownership.becomeFollower();
    ownership.termApplied(3);
    leadWithLease(3);

    assertThat(ownership.awaitRecorder(former)).contains(awaitOwner());
    assertThat(ownership.owns(former)).isFalse();
  }

  @Test
  void anInstalledSnapshotMayHideAnotherOwner() throws Exception {
    start();
    ownership.termApplied(1);
    leadWithLease(1);
    OwnedTerm former = awaitOwner();
    ownership.becomeFollower();
    ownership.termsSkipped();
    assertThat(ownership.awaitRecorder(former)).isEmpty();
    ownership.termApplied(5);
    leadWithLease(5);
    awaitOwner();

    assertThat(ownership.awaitRecorder(former)).isEmpty();
  }

  @Test
  void aNodeThatStopsDoesNotWaitForALaterTerm() throws Exception {
    start();
    leadWithLease(1);
    OwnedTerm former = awaitOwner();
    ownership.becomeFollower();

    ownership.drain();

    assertThat(ownership.awaitRecorder(former)).isEmpty();
  }

  @Test
  void aLeaseThatComesAfterTheTermMakesNoOwner() throws Exception {
    start();
    TestLease lease = lead(1);
    ownership.becomeFollower();
    lease.held = true;

    Thread.sleep(50); // five polls

    assertThat(ownership.state()).isInstanceOf(State.Follower.class);
    assertThat(events).isEmpty();
  }

  @Test
  void beforeTheLogIsThereNothingIsOwned() throws Exception {
    leadWithLease(1);
    Thread.sleep(50); // five polls
    assertThat(ownership.state()).isInstanceOf(State.AwaitingLease.class);

    start();

    assertThat(awaitOwner().term()).isEqualTo(1);
  }

  @Test
  void aClosedOwnershipStaysClosed() throws Exception {
    start();
    leadWithLease(1);
    OwnedTerm term = awaitOwner();

    ownership.close();
    leadWithLease(2);
    ownership.becomeFollower();
    Thread.sleep(50); // five polls

    assertThat(ownership.state()).isInstanceOf(State.Closed.class);
    assertThat(ownership.mayDeliver(term)).isFalse();
    assertThat(events).containsExactly("owned 1", "lost 1");
  }

  @Test
  void termsOnlyGrow() {
    start();
    lead(2);
    ownership.becomeFollower();
    assertThatThrownBy(() -> lead(2)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> lead(1)).isInstanceOf(IllegalStateException.class);
    assertThat(ownership.state()).isInstanceOf(State.Follower.class);
  }

  @Test
  void whatIsDueIsReportedToTheOwnerOnly() {
    start();
    SpooledMessage message = TestMessages.spooled(TestMessages.id(1), 1, "a@one.example");
    ownership.messageDue(message);
    TestLease lease = lead(1);
    ownership.messageDue(message);
    assertThat(events).isEmpty();

    lease.held = true;
    awaitOwner();
    ownership.messageDue(message);

    assertThat(events).containsExactly("owned 1", "due [one.example]");
  }

  @Test
  void inDoubtIsCountedOnceHoweverOftenItIsEnded() {
    start();
    leadWithLease(1);
    OwnedTerm term = awaitOwner();
    var first = term.enterDoubt(2).orElseThrow();
    var second = term.enterDoubt(3).orElseThrow();
    assertThat(term.inDoubt()).isEqualTo(5);

    first.close();
    first.close();

    assertThat(term.inDoubt()).isEqualTo(3);
    second.close();
    assertThat(metrics.inDoubt).hasValue(0);
  }

  @SuppressWarnings("NullAway") // neither the database nor the log is used by these tests
  private void start() {
    SpoolStore store = new SpoolStore(Path.of("not-opened"), null);
    ownership.start(
        term -> new OwnedTerm("spool-a", term, ownership, store, null, metrics, () -> 0));
  }

  private TestLease lead(long term) {
    TestLease lease = new TestLease(term);
    ownership.becomeLeader(lease);
    return lease;
  }

  private TestLease leadWithLease(long term) {
    TestLease lease = new TestLease(term);
    lease.held = true;
    ownership.becomeLeader(lease);
    return lease;
  }

  private OwnedTerm awaitOwner() {
    await().until(() -> ownership.owned().isPresent());
    synchronized (ownership) { // the listener is called under the monitor
      return ownership.owned().orElseThrow();
    }
  }

  private static final class TestLease implements Leadership {
    private final long term;
    volatile boolean held;

    TestLease(long term) {
      this.term = term;
    }

    @Override
    public long term() {
      return term;
    }

    @Override
    public boolean hasLease() {
      return held;
    }
  }

  private final class Recorder implements OwnershipListener {
    @Override
    public void spoolOwned(OwnedSpool spool) {
      events.add("owned " + spool.term());
    }

    @Override
    public void spoolLost(OwnedSpool spool) {
      events.add("lost " + spool.term());
    }

    @Override
    public void messageDue(OwnedSpool spool, QueueId id, List<String> domains) {
      events.add("due " + domains);
    }
  }
}
