package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.quorumail.spool.TestMessages.NOW;
import static org.quorumail.spool.TestMessages.deferred;
import static org.quorumail.spool.TestMessages.delivered;
import static org.quorumail.spool.TestMessages.failed;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.FakeRaftGroup.FakeLeadership;
import org.quorumail.spool.Intake.MessageWriter;
import org.quorumail.spool.OwnedSpool.DsnMessage;
import org.quorumail.spool.OwnedSpool.InDoubtDeliveries;

/** The owner alone may deliver and record outcomes. Two nodes hold one spool. */
@Execution(ExecutionMode.CONCURRENT)
class SpoolOwnershipTest {
  @TempDir Path directory;
  private final FakeRaftGroup group = new FakeRaftGroup("spool-node-1");
  private TestNode one;
  private TestNode two;

  private final class TestNode {
    final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    final RecordedEvents events = new RecordedEvents();
    final AtomicLong now = new AtomicLong(NOW);
    final Spools spools;

    TestNode(String id) throws IOException {
      spools =
          TestSpools.open(
              new Spools.Settings(id, "mx.example.org", directory.resolve(id), 0),
              new AdjustableClock(now),
              registry,
              events);
      spools.open("spool-node-1", "node-1", group::join);
    }

    Spool spool() {
      return spools.all().getFirst();
    }

    OwnedSpool owned() {
      await().until(() -> spool().ownedSpool().isPresent());
      return spool().ownedSpool().orElseThrow();
    }

    double inDoubt() {
      return registry.get("spool.in.doubt").gauge().value();
    }
  }

  @BeforeEach
  void open() throws IOException {
    one = new TestNode("node-1");
    two = new TestNode("node-2");
  }

  @AfterEach
  void close() {
    one.spools.close();
    two.spools.close();
    group.close();
  }

  @Test
  void theReadyLeaderOwnsTheSpoolOnceItHoldsTheLease() {
    FakeLeadership leadership = group.elect(0, false);
    await().during(Duration.ofMillis(100)).until(() -> one.spool().ownedSpool().isEmpty());
    leadership.lease = true;
    OwnedSpool owned = one.owned();
    assertThat(owned.term()).isEqualTo(1);
    assertThat(owned.mayDeliver()).isTrue();
    leadership.lease = false;
    assertThat(owned.mayDeliver()).isFalse();
    assertThat(one.events.all).containsExactly("owned 1");
    assertThat(two.spool().ownedSpool()).isEmpty();
  }

  @Test
  void aFormerOwnerMayNotDeliverNorRecord() throws Exception {
    group.elect(0);
    OwnedSpool former = one.owned();
    QueueId id = accept(one);
    group.elect(1);
    OwnedSpool present = two.owned();

    assertThat(former.mayDeliver()).isFalse();
    assertThat(former.enterDoubt(1)).isEmpty();
    assertThat(former.recordOutcomes(id, List.of(delivered(0)), null)).isFalse();
    assertThat(present.message(id)).isPresent();
    assertThat(one.events.all).contains("owned 1", "due 1 [example.net]", "lost 1");
    assertThat(two.events.all).containsExactly("owned 2");
    assertThat(two.registry.get("spool.takeovers").counter().count()).isEqualTo(1);
    assertThat(one.registry.get("spool.takeovers").counter().count()).isZero();
  }

  @Test
  void resultsThatWereOnTheirWayWhenTheTermPassedAreRefusedByEveryReplica() throws Exception {
    group.elect(0);
    OwnedSpool former = one.owned();
    QueueId id = accept(one);
    CompletableFuture<Void> released = group.block();
    CompletableFuture<FakeLeadership> elected = group.electLater(1, true);
    int before = group.appends();
    CompletableFuture<Boolean> recorded =
        CompletableFuture.supplyAsync(() -> former.recordOutcomes(id, List.of(delivered(0)), null));
    await().until(() -> group.appends() > before);
    released.complete(null);
    elected.join();

    assertThat(recorded.join()).isFalse();
    assertThat(one.spool().store().message(id)).isPresent();
    assertThat(two.spool().store().message(id)).isPresent();
    assertThat(two.spools.queries().digests().getFirst().sha256())
        .isEqualTo(one.spools.queries().digests().getFirst().sha256());
  }

  @Test
  void repliesThatWereReadBeforeTheLossAreRecordedInTheNextTermOfTheSameNode() throws Exception {
    group.elect(0);
    OwnedSpool former = one.owned();
    List<QueueId> ids = new ArrayList<>();
    for (int i = 0; i < 200; i++) ids.add(accept(one));
    group.deposeLeader();
    List<CompletableFuture<Boolean>> recorded = new ArrayList<>();
    for (QueueId id : ids) {
      recorded.add(recordLater(former, id));
    }
    group.elect(0);

    assertThat(recorded).allSatisfy(r -> assertThat(r.get(10, TimeUnit.SECONDS)).isTrue());
    assertThat(one.owned().firstDue()).isEmpty();
    assertThat(two.spools.queries().digests().getFirst().sha256())
        .isEqualTo(one.spools.queries().digests().getFirst().sha256());
  }

  @Test
  void aReplyThatIsReadInTheNextTermOfTheSameNodeIsRecordedThere() throws Exception {
    group.elect(0);
    OwnedSpool former = one.owned();
    QueueId id = accept(one);
    group.deposeLeader();
    group.elect(0);
    OwnedSpool present = one.owned();

    assertThat(recordLater(former, id).get(10, TimeUnit.SECONDS)).isTrue();
    assertThat(present.message(id)).isEmpty();
    assertThat(former.enterDoubt(1)).isEmpty();
  }

  @Test
  void outcomesThatWereAppliedAfterAllAreNotAppliedAgainInTheNextTerm() throws Exception {
    group.elect(0);
    OwnedSpool former = one.owned();
    QueueId id = accept(one);
    List<RecipientOutcome> outcomes = List.of(deferred(0, NOW + 60_000));
    assertThat(former.recordOutcomes(id, outcomes, null)).isTrue(); // suppose nobody answered
    group.deposeLeader();
    group.elect(0);
    one.owned();

    assertThat(former.recordOutcomes(id, outcomes, null)).isTrue();
    assertThat(attempts(one, id)).isEqualTo(1);
  }

  @Test
  void repliesAreDroppedWhenAnotherNodeHasOwnedTheSpoolInBetween() throws Exception {
    group.elect(0);
    OwnedSpool former = one.owned();
    QueueId id = accept(one);
    group.deposeLeader();
    CompletableFuture<Boolean> early = recordLater(former, id);
    group.elect(1);
    two.owned();
    group.elect(0);
    OwnedSpool present = one.owned();

    assertThat(early.get(10, TimeUnit.SECONDS)).isFalse();
    assertThat(former.recordOutcomes(id, List.of(delivered(0)), null)).isFalse();
    assertThat(present.message(id)).isPresent();
  }

  private static CompletableFuture<Boolean> recordLater(OwnedSpool spool, QueueId id) {
    CompletableFuture<Boolean> recorded = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> recorded.complete(spool.recordOutcomes(id, List.of(delivered(0)), null)));
    return recorded;
  }

  private static int attempts(TestNode node, QueueId id) {
    return node.spool()
        .store()
        .message(id)
        .orElseThrow()
        .message()
        .recipients()
        .getFirst()
        .attempts();
  }

  @Test
  void deliveriesAreInDoubtFromTheLastCheckUntilTheyAreRecorded() throws Exception {
    group.elect(0);
    OwnedSpool owned = one.owned();
    QueueId id = accept(one);
    InDoubtDeliveries doubt = owned.enterDoubt(3).orElseThrow();
    assertThat(one.inDoubt()).isEqualTo(3);
    assertThat(owned.recordOutcomes(id, List.of(delivered(0)), null)).isTrue();
    assertThat(one.inDoubt()).isEqualTo(3);
    doubt.close();
    doubt.close();
    assertThat(one.inDoubt()).isZero();
    assertThat(owned.message(id)).isEmpty();
  }

  @Test
  void withoutTheLeaseNoDotIsSentAndNothingIsInDoubt() {
    FakeLeadership leadership = group.elect(0);
    OwnedSpool owned = one.owned();
    leadership.lease = false;
    assertThat(owned.enterDoubt(2)).isEmpty();
    assertThat(one.inDoubt()).isZero();
  }

  @Test
  void aReportIsDueAsSoonAsTheFailureIsRecorded() throws Exception {
    group.elect(0);
    OwnedSpool owned = one.owned();
    QueueId id = accept(one);
    QueueId report = QueueId.generate(Instant.now());
    Envelope envelope =
        new Envelope(
            ReversePath.of(""),
            List.of(MailAddress.of("sender@example.com")),
            Envelope.BodyType.SEVEN_BIT);

    boolean recorded =
        owned.recordOutcomes(
            id, List.of(failed(0)), new DsnMessage(report, envelope, new byte[] {1, 2}, false));

    assertThat(recorded).isTrue();
    assertThat(owned.message(id)).isEmpty();
    assertThat(owned.message(report).orElseThrow().reversePath()).isEqualTo(ReversePath.of(""));
    assertThat(owned.content(report).readAllBytes()).containsExactly(1, 2);
    assertThat(owned.firstDue().orElseThrow().domain()).isEqualTo("example.com");
  }

  @Test
  void resultsWithoutAnswerAreSentAgainUntilTheyAreCommitted() throws Exception {
    group.elect(0);
    OwnedSpool owned = one.owned();
    QueueId id = accept(one);
    group.quorum(FakeRaftGroup.Quorum.REFUSES);
    int before = group.appends();
    CompletableFuture<Boolean> recorded =
        CompletableFuture.supplyAsync(() -> owned.recordOutcomes(id, List.of(delivered(0)), null));
    await().until(() -> group.appends() > before + 1);
    group.quorum(FakeRaftGroup.Quorum.ANSWERS);
    assertThat(recorded.join()).isTrue();
    assertThat(owned.message(id)).isEmpty();
  }

  @Test
  void manyAttemptsAreRecordedInFewEntries() throws Exception {
    group.elect(0);
    OwnedSpool owned = one.owned();
    List<QueueId> ids = new ArrayList<>();
    for (int i = 0; i < 200; i++) ids.add(accept(one));
    int before = group.entries().size();
    List<Thread> threads = new ArrayList<>();
    for (QueueId id : ids) {
      threads.add(
          Thread.ofVirtual().start(() -> owned.recordOutcomes(id, List.of(delivered(0)), null)));
    }
    for (Thread t : threads) t.join();
    assertThat(owned.firstDue()).isEmpty();
    assertThat(group.entries().size() - before).isLessThan(ids.size() / 2);
  }

  @Test
  void aVeryLongDiagnosticIsCut() throws Exception {
    group.elect(0);
    OwnedSpool owned = one.owned();
    QueueId id = accept(one);
    var given = (Outcome.Deferred) deferred(0, NOW + 1).outcome();
    owned.recordOutcomes(
        id,
        List.of(
            new RecipientOutcome(
                0, new Outcome.Deferred(given.until(), given.status(), "x".repeat(100_000), ""))),
        null);
    assertThat(owned.message(id).orElseThrow().recipients().getFirst().diagnostic()).hasSize(500);
  }

  @Test
  void theOwnerAbortsUploadsThatNobodyFinishes() throws Exception {
    group.elect(0);
    one.owned();
    QueueId id;
    MessageWriter abandoned = one.spools.newMessage();
    id = abandoned.id();
    abandoned.write(new byte[700_000], 0, 700_000);
    group.settle();
    assertThat(two.spool().store().upload(id).chunks()).isEqualTo(2);
    SpoolMaintenance upkeep =
        new SpoolMaintenance(
            one.spools, 0, TestSpools.eventRetention(), new AdjustableClock(one.now));

    upkeep.abortOldUploads();
    assertThat(two.spool().store().upload(id).chunks()).isEqualTo(2);
    one.now.addAndGet(SpoolMaintenance.UPLOAD_AGE_MAX.toMillis() + 1);
    upkeep.abortOldUploads();

    group.settle();
    assertThat(two.spool().store().upload(id)).isEqualTo(Upload.NONE);
    assertThat(two.spool().store().chunk(id, 0)).isNull();
  }

  private static QueueId accept(TestNode node) {
    try (MessageWriter reception = node.spools.newMessage()) {
      var verdict =
          reception.commit(
              new Envelope(
                  ReversePath.of("sender@example.com"),
                  List.of(MailAddress.of("a@example.net")),
                  Envelope.BodyType.SEVEN_BIT));
      assertThat(verdict).isInstanceOf(Intake.CommitResult.Accepted.class);
      return reception.id();
    }
  }

  private static final class RecordedEvents implements OwnershipListener {
    final List<String> all = new CopyOnWriteArrayList<>();

    @Override
    public void spoolOwned(OwnedSpool spool) {
      all.add("owned " + spool.term());
    }

    @Override
    public void spoolLost(OwnedSpool spool) {
      all.add("lost " + spool.term());
    }

    @Override
    public void messageDue(OwnedSpool spool, QueueId id, List<String> domains) {
      all.add("due " + spool.term() + " " + domains);
    }
  }

  private static final class AdjustableClock extends Clock {
    private final AtomicLong now;

    AdjustableClock(AtomicLong now) {
      this.now = now;
    }

    @Override
    public Instant instant() {
      return Instant.ofEpochMilli(now.get());
    }

    @Override
    public ZoneId getZone() {
      return ZoneId.of("UTC");
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }
}
