package org.quorumail.spool;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Notify;
import org.quorumail.mail.OperatorCommand;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.replication.ReplicatedLog;
import org.quorumail.spool.Intake.CommitResult;
import org.quorumail.spool.Intake.MessageWriter;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.spool.SpoolQueries.LocatedMessage;
import org.quorumail.spool.SpoolQueries.MessageCriteria;
import org.quorumail.spool.SpoolQueries.Page;

/** Mail in, questions and orders, over groups in memory and real databases. */
@Execution(ExecutionMode.CONCURRENT)
class SpoolsTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Listening listening = new Listening();
  private final FakeRaftGroup home = new FakeRaftGroup("spool-node-1");
  private final FakeRaftGroup other = new FakeRaftGroup("spool-node-2");
  private Spools spools;

  @BeforeEach
  void open() throws IOException {
    spools = spools(0);
    join(spools, home, "node-1");
  }

  @AfterEach
  void close() {
    spools.close();
    home.close();
    other.close();
  }

  @Test
  void anAcceptedMessageIsDueAndItsBytesAreThoseThatCame() throws IOException {
    home.elect(0);
    OwnedSpool owned = owned();
    byte[] content = "Subject: x\r\n\r\nhello\r\n".getBytes(US_ASCII);

    QueueId id = accepted(content, "a@example.net");

    assertThat(owned.firstDue().orElseThrow().id()).isEqualTo(id);
    assertThat(owned.message(id).orElseThrow().size()).isEqualTo(content.length);
    assertThat(bytes(owned.content(id))).isEqualTo(content);
    await().until(() -> listening.due.contains(id));
  }

  @Test
  void aLargeContentTravelsInChunksAndComesBackWhole() throws IOException {
    home.elect(0);
    byte[] content = random(3 * MIB + 17);

    QueueId id = accepted(content, "a@example.net");

    assertThat(bytes(owned().content(id))).isEqualTo(content);
    assertThat(home.entries()).hasSizeGreaterThan(12);
    assertThat(spools.all().getFirst().store().upload(id)).isEqualTo(Upload.NONE);
  }

  /** The node dies after the commit and before its answer; its client asks another node. */
  @Test
  void theNextOwnerKnowsTheKeyOfAMessageWhoseAcceptanceNobodyHeardOf() throws IOException {
    try (Spools second = spools("second", 0)) {
      join(second, home, "node-1");
      home.elect(0);
      RequestKey key = new RequestKey("0".repeat(32), 0, "1".repeat(32));
      owned();
      home.quorum(FakeRaftGroup.Quorum.COMMITS_IN_SILENCE);
      QueueId id;
      try (MessageWriter writer = spools.newMessage()) {
        id = writer.id();
        writer.write(new byte[10], 0, 10);
        writer.onlyOnce(key);
        assertThat(writer.commit(envelope("a@example.net")))
            .isInstanceOf(CommitResult.Refused.class);
      }
      home.settle();
      home.quorum(FakeRaftGroup.Quorum.ANSWERS);
      assertThat(second.requests(key.request()).spools()).isEmpty();
      home.elect(1);
      await().until(() -> !second.requests(key.request()).spools().isEmpty());
      assertThat(second.requests(key.request()).messages())
          .extracting(AcceptedRequest::id)
          .containsExactly(id);
      try (MessageWriter writer = second.newMessage()) {
        writer.write(new byte[10], 0, 10);
        writer.onlyOnce(key);
        assertThat(writer.commit(envelope("a@example.net")))
            .isInstanceOf(CommitResult.AcceptedBefore.class);
      }
      assertThat(second.all().getFirst().counters().messages()).isEqualTo(1);
    }
  }

  @Test
  void chunksThatArriveOutOfOrderAreAcceptedAllTheSame() throws IOException {
    home.elect(0);
    byte[] content = random(2 * MIB + 17);
    home.swapNextAppends(4);

    QueueId id = accepted(content, "a@example.net");

    assertThat(bytes(owned().content(id))).isEqualTo(content);
    assertThat(spools.all().getFirst().store().upload(id)).isEqualTo(Upload.NONE);
  }

  @Test
  void anUploadThatWasAbortedIsNotResumed() throws IOException {
    home.elect(0);
    try (MessageWriter writer = spools.newMessage()) {
      writer.write(random(600_000), 0, 600_000);
      home.settle();
      spools
          .all()
          .getFirst()
          .append(new SpoolEntry.AbortUpload(writer.id()), Duration.ofSeconds(5))
          .orTimeout(10, TimeUnit.SECONDS)
          .join();
      int before = home.appends();

      assertThat(writer.commit(envelope("a@example.net"))).isInstanceOf(CommitResult.Refused.class);
      assertThat(home.appends()).isEqualTo(before + 2); // the last chunk, and once more
      assertThat(owned().message(writer.id())).isEmpty();
    }
  }

  @Test
  void contentsAroundTheSizeOfAChunkComeBackWhole() throws IOException {
    home.elect(0);
    for (int size :
        List.of(
            0,
            1,
            Spools.CHUNK_BYTES - 1,
            Spools.CHUNK_BYTES,
            Spools.CHUNK_BYTES + 1,
            2 * Spools.CHUNK_BYTES)) {
      byte[] content = random(size);
      QueueId id = accepted(content, "a@example.net");
      assertThat(bytes(owned().content(id))).as("size %d", size).isEqualTo(content);
    }
  }

  @Test
  void thePrefixGoesOutBeforeTheContentAndStaysWhenTheMessageIsDeferred() throws Exception {
    home.elect(0);
    byte[] prefix = "Received: from a\r\n\tby b\r\n".getBytes(US_ASCII);
    for (int size : List.of(0, 5, Spools.CHUNK_BYTES, Spools.CHUNK_BYTES + 1, MIB)) {
      byte[] content = random(size);
      byte[] whole = concat(prefix, content);
      QueueId id;
      try (MessageWriter writer = spools.newMessage()) {
        writer.write(content, 0, size);
        id = writer.id();
        assertThat(writer.commit(envelope("a@example.net"), prefix, Optional.empty()))
            .isInstanceOf(CommitResult.Accepted.class);
      }
      assertThat(owned().message(id).orElseThrow().size()).isEqualTo(whole.length);
      assertThat(bytes(owned().content(id))).as("size %d", size).isEqualTo(whole);
      long later = System.currentTimeMillis() + 60_000;
      owned().recordOutcomes(id, List.of(TestMessages.deferred(0, later)), null);
      assertThat(owned().message(id).orElseThrow().recipients().getFirst().attempts()).isOne();
      assertThat(bytes(owned().content(id))).as("deferred, size %d", size).isEqualTo(whole);
    }
    assertThat(spools.all().getFirst().counters().bytes())
        .isEqualTo(5 * prefix.length + 5 + 2 * Spools.CHUNK_BYTES + 1 + MIB);
  }

  @Test
  void everyStoredAddressHasADomain() throws Exception {
    home.elect(0);
    Envelope bare =
        new Envelope(
            new ReversePath.Mailbox(new MailAddress("postmaster", "")),
            List.of(new MailAddress("postmaster", ""), MailAddress.of("a@example.net")),
            Envelope.BodyType.SEVEN_BIT);
    QueueId id;
    try (MessageWriter writer = spools.newMessage()) {
      id = writer.id();
      assertThat(writer.commit(bare, new byte[0], Optional.empty()))
          .isInstanceOf(CommitResult.Accepted.class);
    }
    SpooledMessage stored = owned().message(id).orElseThrow();
    assertThat(stored.reversePath()).hasToString("postmaster@mx.example.org");
    assertThat(stored.recipients())
        .extracting(r -> r.address().toString())
        .containsExactly("postmaster@mx.example.org", "a@example.net");
  }

  @Test
  void aPrefixWithoutBoundIsRefused() {
    home.elect(0);
    try (MessageWriter writer = spools.newMessage()) {
      byte[] prefix = new byte[MessageWriter.PREFIX_BYTES_MAX + 1];
      assertThatThrownBy(() -> writer.commit(envelope("a@b.example"), prefix, Optional.empty()))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aContentMakesRoomForALongEnvelope() throws IOException {
    home.elect(0);
    byte[] content = random(Spools.CHUNK_BYTES);
    String asked = "rfc822;" + "o".repeat(490);
    String domain = ("d".repeat(60) + ".").repeat(3) + "d".repeat(50) + ".test";
    List<Recipient> recipients = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      MailAddress to = new MailAddress("r" + i + "." + "x".repeat(55), domain);
      recipients.add(new Recipient(to, Notify.NEVER, asked));
    }
    try (MessageWriter reception = spools.newMessage()) {
      reception.write(content, 0, content.length);
      Envelope envelope =
          new Envelope(
              ReversePath.of("sender@example.com"),
              recipients,
              MailOptions.of(Envelope.BodyType.SEVEN_BIT));
      assertThat(reception.commit(envelope)).isInstanceOf(CommitResult.Accepted.class);
      assertThat(bytes(owned().content(reception.id()))).isEqualTo(content);
    }
    assertThat(home.entries())
        .allMatch(entry -> entry.bytes().length <= ReplicatedLog.ENTRY_BYTES_MAX);
  }

  @Test
  void aReceptionThatBreaksOffLeavesNothing() throws IOException {
    home.elect(0);
    QueueId id;
    try (MessageWriter reception = spools.newMessage()) {
      id = reception.id();
      reception.write(random(MIB), 0, MIB);
    }
    home.settle();
    SpoolStore store = spools.all().getFirst().store();
    assertThat(store.upload(id)).isEqualTo(Upload.NONE);
    assertThat(store.chunk(id, 0)).isNull();
    assertThat(spools.queries().find(id)).isEmpty();
  }

  @Test
  void withoutQuorumTheClientHearsSoWithinThreeSecondsAndTheNextOneAtOnce() throws IOException {
    FakeRaftGroup.FakeLeadership leadership = home.elect(0);
    leadership.lease = false;
    home.quorum(FakeRaftGroup.Quorum.GONE);
    assertThat(spools.readiness()).isEqualTo(Readiness.READY);

    long begun = System.nanoTime();
    assertThat(received(new byte[10], "a@example.net"))
        .isEqualTo(new CommitResult.Refused(Readiness.NO_QUORUM));
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofSeconds(3));
    assertThat(spools.readiness()).isEqualTo(Readiness.NO_QUORUM);

    home.quorum(FakeRaftGroup.Quorum.ANSWERS);
    leadership.lease = true;
    assertThat(spools.readiness()).isEqualTo(Readiness.READY);
    accepted(new byte[10], "a@example.net");
  }

  @Test
  void aQuorumThatIsOnlySlowIsWaitedFor() throws Exception {
    home.elect(0);
    CompletableFuture<Void> released = home.block();
    CompletableFuture<CommitResult> verdict =
        CompletableFuture.supplyAsync(() -> received(new byte[10], "a@example.net"));
    await()
        .during(CommitDeadline.WITHOUT_QUORUM.plusMillis(200))
        .atMost(Duration.ofSeconds(10))
        .until(() -> !verdict.isDone());
    released.complete(null);
    assertThat(verdict.get(5, TimeUnit.SECONDS)).isInstanceOf(CommitResult.Accepted.class);
  }

  @Test
  void aNewLeaderWhoseLeaseHasNotBegunIsWaitedFor() throws Exception {
    home.elect(0, false).answered = true;
    CompletableFuture<Void> released = home.block();
    CompletableFuture<CommitResult> verdict =
        CompletableFuture.supplyAsync(() -> received(new byte[10], "a@example.net"));
    await()
        .during(CommitDeadline.WITHOUT_QUORUM.plusMillis(200))
        .atMost(Duration.ofSeconds(10))
        .until(() -> !verdict.isDone());
    released.complete(null);
    assertThat(verdict.get(5, TimeUnit.SECONDS)).isInstanceOf(CommitResult.Accepted.class);
  }

  @Test
  void aLeaderElsewhereThatIsOnlySlowIsWaitedFor() throws Exception {
    try (Spools second = spools("second", 0)) {
      join(second, home, "node-1");
      home.elect(1);
      CompletableFuture<Void> released = home.block();
      CompletableFuture<CommitResult> verdict =
          CompletableFuture.supplyAsync(() -> received(new byte[10], "a@example.net"));
      await()
          .during(CommitDeadline.WITHOUT_QUORUM.plusMillis(200))
          .atMost(Duration.ofSeconds(10))
          .until(() -> !verdict.isDone());
      released.complete(null);
      assertThat(verdict.get(5, TimeUnit.SECONDS)).isInstanceOf(CommitResult.Accepted.class);
    }
  }

  @Test
  void aMessageWhoseFateIsOpenIsNotTriedInAnotherSpool() throws IOException {
    join(spools, other, "node-2");
    FakeRaftGroup.FakeLeadership leadership = home.elect(0);
    other.elect(0);
    home.quorum(FakeRaftGroup.Quorum.COMMITS_IN_SILENCE);
    leadership.lease = false;

    assertThat(received(new byte[10], "a@example.net"))
        .isEqualTo(new CommitResult.Refused(Readiness.NO_QUORUM));

    assertThat(other.appends()).isZero();
    assertThat(spools.all().getFirst().counters().messages()).isEqualTo(1);
  }

  @Test
  void aDrainedSpoolIsClosedForGoodAndDeletedAndMailGoesIntoAnother() throws Exception {
    Spool removed = join(spools, other, "node-2");
    other.elect(0);
    await().until(() -> removed.ownedSpool().isPresent());
    QueueId queued = accepted(new byte[10], "a@example.net");
    assertThat(removed.isDrained()).isFalse();
    assertThat(removed.closeForGood(Duration.ofSeconds(5))).isFalse();
    assertThat(spools.commands().run(queued, new OperatorCommand.Delete()))
        .isEqualTo(SpoolCommands.CommandStatus.DONE);
    assertThat(removed.isDrained()).isTrue();
    assertThat(removed.closeForGood(Duration.ofSeconds(5))).isTrue();
    assertThat(removed.isClosedForGood()).isTrue();
    assertThat(spools.target()).as("nothing may be accepted there").isEmpty();
    assertThat(received(new byte[10], "b@example.net"))
        .isEqualTo(new CommitResult.Refused(Readiness.NO_QUORUM));
    home.elect(0);
    accepted(new byte[10], "c@example.net");

    Path store = removed.store().directory();
    spools.remove(removed);
    removed.store().close();
    spools.deleteStore("spool-node-2");
    assertThat(store).doesNotExist();
    assertThat(spools.all()).extracting(Spool::name).containsExactly("spool-node-1");
    assertThat(removed.store().unflushedBytes()).isZero();
  }

  @Test
  void theOwnSpoolComesFirstThenAnyThatIsLedHereThenOneThatIsLedElsewhere() throws IOException {
    assertThat(spools.readiness()).isEqualTo(Readiness.NO_QUORUM);
    join(spools, other, "node-2");
    try (Spools second = spools("second", 0)) {
      join(second, other, "node-2");
      other.elect(1);
      assertThat(spools.target().orElseThrow().name()).isEqualTo("spool-node-2");
      accepted(new byte[10], "a@example.net");
      other.elect(0);
      assertThat(spools.target().orElseThrow().name()).isEqualTo("spool-node-2");
      home.elect(0);
      assertThat(spools.target().orElseThrow().name()).isEqualTo("spool-node-1");
      assertThat(second.queries().stats(List.of()).getFirst().counters().messages()).isEqualTo(1);
    }
  }

  @Test
  void belowTheFloorNothingIsAccepted() throws IOException {
    try (Spools full = spools("full", Long.MAX_VALUE);
        MessageWriter reception = full.newMessage()) {
      assertThat(full.readiness()).isEqualTo(Readiness.DISK_FULL);
      assertThat(reception.commit(envelope("a@example.net")))
          .isEqualTo(new CommitResult.Refused(Readiness.DISK_FULL));
    }
  }

  @Test
  void whatTheStoresHoldInMemoryIsCountedBeforeMailIsAccepted() throws IOException {
    home.elect(0);
    SpoolStore store = spools.all().getFirst().store();
    long before = store.unflushedBytes();
    accepted(random(3 * MIB), "a@example.net");
    assertThat(store.unflushedBytes()).isGreaterThan(before + 2 * MIB);
    store.flush();
    assertThat(store.unflushedBytes()).isLessThan(before + 2 * MIB);
  }

  @Test
  void aFullDiskShortensTheLogAndOneWithRoomLeavesIt() throws IOException {
    home.elect(0);
    var roomy = new SpoolMaintenance(spools, 0, TestSpools.eventRetention(), Clock.systemUTC());
    roomy.space().watch(directory);
    roomy.space().check();
    roomy.relieveDisk();
    assertThat(home.snapshotRequests).hasValue(0);
    var full =
        new SpoolMaintenance(
            spools, Long.MAX_VALUE, TestSpools.eventRetention(), Clock.systemUTC());
    full.space().watch(directory);
    full.space().check();
    full.relieveDisk();
    assertThat(home.snapshotRequests).hasValue(1);
  }

  @Test
  void whatIsBeingReceivedMayBeCommittedWhileTheNodeDrains() throws IOException {
    home.elect(0);
    try (MessageWriter reception = spools.newMessage()) {
      reception.write(new byte[5], 0, 5);
      spools.drain();
      assertThat(spools.readiness()).isEqualTo(Readiness.DRAINING);
      assertThat(reception.commit(envelope("a@example.net")))
          .isInstanceOf(CommitResult.Accepted.class);
    }
  }

  @Test
  void aBarePostmasterIsTheOneOfThisHost() throws IOException {
    home.elect(0);
    QueueId id;
    try (MessageWriter reception = spools.newMessage()) {
      id = reception.id();
      reception.commit(
          new Envelope(
              ReversePath.of(""),
              List.of(new MailAddress("postmaster", "")),
              Envelope.BodyType.SEVEN_BIT));
    }
    assertThat(spools.queries().find(id).orElseThrow().message().recipients().getFirst().address())
        .isEqualTo(MailAddress.of("postmaster@mx.example.org"));
  }

  @Test
  void ordersReachTheMessageFromANodeThatDoesNotLead() throws IOException {
    try (Spools second = spools("second", 0)) {
      join(second, home, "node-1");
      home.elect(0);
      QueueId id = accepted(new byte[10], "a@example.net");
      SpoolCommands commands = second.commands();

      assertThat(commands.run(id, new OperatorCommand.Hold()))
          .isEqualTo(SpoolCommands.CommandStatus.DONE);
      assertThat(located(id).status(0)).isEqualTo(MessageStatus.HELD);
      assertThat(commands.run(id, new OperatorCommand.Retry(false)))
          .isEqualTo(SpoolCommands.CommandStatus.HELD);
      assertThat(commands.run(id, new OperatorCommand.Release()))
          .isEqualTo(SpoolCommands.CommandStatus.DONE);
      assertThat(commands.run(id, new OperatorCommand.Retry(false)))
          .isEqualTo(SpoolCommands.CommandStatus.DONE);
      assertThat(commands.run(id, new OperatorCommand.Delete()))
          .isEqualTo(SpoolCommands.CommandStatus.DONE);
      assertThat(commands.run(id, new OperatorCommand.Delete()))
          .isEqualTo(SpoolCommands.CommandStatus.NO_SUCH_MESSAGE);
      assertThat(spools.queries().digests().getFirst().sha256())
          .isEqualTo(second.queries().digests().getFirst().sha256());
    }
  }

  @Test
  void aListGoesPageByPageOverAllSpoolsAndKeepsToTheFilter() throws IOException {
    join(spools, other, "node-2");
    other.elect(0);
    List<QueueId> all = new ArrayList<>();
    for (int i = 0; i < 7; i++) all.add(accepted(new byte[10], "a@one.example"));
    home.elect(0);
    for (int i = 0; i < 7; i++) all.add(accepted(new byte[10], "a@two.example"));
    spools.commands().run(all.getFirst(), new OperatorCommand.Hold());

    assertThat(listed(MessageCriteria.ALL)).containsExactlyInAnyOrderElementsOf(all);
    assertThat(listed(domain("two.example")))
        .containsExactlyInAnyOrderElementsOf(all.subList(7, 14));
    assertThat(listed(domain("one.example")))
        .containsExactlyInAnyOrderElementsOf(all.subList(0, 7));
    assertThat(listed(sender("send"))).hasSize(14);
    assertThat(listed(sender("SENDER@Example"))).hasSize(14);
    assertThat(listed(sender("other"))).isEmpty();
    assertThat(listed(status(MessageStatus.HELD))).containsExactly(all.getFirst());
    assertThat(listed(status(MessageStatus.PENDING))).hasSize(13);
    assertThat(listed(status(MessageStatus.RETRY))).isEmpty();
    assertThatThrownBy(() -> spools.queries().page(MessageCriteria.ALL, "nonsense", 3))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aWalkGoesOnWhereItsTimeEndedAndACommandChangesAllThatItFinds() throws IOException {
    home.elect(0);
    List<QueueId> all = new ArrayList<>();
    for (int i = 0; i < 600; i++) all.add(accepted(new byte[10], "a@one.example"));
    accepted(new byte[10], "a@two.example");
    List<QueueId> walked = new ArrayList<>();
    int parts = 0;
    Optional<String> cursor = Optional.of("");
    while (cursor.isPresent() && parts++ < 100) {
      MessageCriteria filter = domain("one.example").stable();
      cursor =
          spools
              .queries()
              .walk(filter, List.of(), cursor.get(), Duration.ZERO, m -> walked.add(m.id()));
    }
    assertThat(parts).isBetween(6, 8); // of a hundred rows
    assertThat(walked).containsExactlyInAnyOrderElementsOf(all);
    String spool = located(all.getFirst()).spool();
    assertThat(spools.commands().run(spool, all, new OperatorCommand.Hold()))
        .hasSize(600)
        .containsOnly(SpoolCommands.CommandStatus.DONE);
    assertThat(spools.commands().run(spool, all.subList(0, 2), new OperatorCommand.Retry(false)))
        .containsOnly(SpoolCommands.CommandStatus.HELD);
    assertThat(spools.commands().run(spool, all.subList(0, 2), new OperatorCommand.Retry(true)))
        .containsOnly(SpoolCommands.CommandStatus.DONE);
    assertThat(spools.all().getFirst().counters().count(MessageStatus.HELD)).isEqualTo(598);
    spools.commands().run(spool, all, new OperatorCommand.Delete());
    assertThat(listed(MessageCriteria.ALL)).hasSize(1);
    assertThat(spools.commands().run(spool, all.subList(0, 1), new OperatorCommand.Delete()))
        .containsExactly(SpoolCommands.CommandStatus.NO_SUCH_MESSAGE);
  }

  @Test
  void whatASenderHasHeldIsListedAsHeldUntilItsTime() throws IOException {
    home.elect(0);
    long until = System.currentTimeMillis() + 3_600_000;
    QueueId later = accepted(heldUntil(until));
    QueueId past = accepted(heldUntil(1));
    QueueId plain = accepted(new byte[10], "a@example.net");
    assertThat(listed(status(MessageStatus.HELD))).containsExactly(later);
    assertThat(listed(status(MessageStatus.PENDING))).containsExactlyInAnyOrder(past, plain);
    assertThat(located(later).status(until - 1)).isEqualTo(MessageStatus.HELD);
    assertThat(located(later).status(until)).isEqualTo(MessageStatus.PENDING);
    spools.commands().run(later, new OperatorCommand.Hold());
    spools.commands().run(later, new OperatorCommand.Release());
    assertThat(listed(status(MessageStatus.HELD))).containsExactly(later);
    spools.commands().run(later, new OperatorCommand.Delete());
    assertThat(listed(status(MessageStatus.HELD))).isEmpty();
    assertThat(spools.all().getFirst().counters().count(MessageStatus.HELD)).isEqualTo(1);
  }

  @Test
  void noPriorityComesBeforeTheTimeThatTheSenderHasSet() {
    MailOptions plain = MailOptions.of(Envelope.BodyType.SEVEN_BIT);
    long now = 100_000_000;
    for (int priority = -9; priority <= 9; priority++) {
      MailOptions held =
          new MailOptions(
              plain.body(),
              false,
              false,
              false,
              "",
              plain.returned(),
              priority,
              now + 1000,
              plain.deliverBy());
      assertThat(SpooledMessage.firstDueMillis(held, now)).isGreaterThanOrEqualTo(now + 1000);
    }
  }

  @Test
  void theGaugeOfTheQueueCountsWhatIsLedHere() throws IOException {
    home.elect(0);
    accepted(new byte[10], "a@example.net");
    var pending = registry.get("delivery.queue.size").tag("status", "pending").gauge();
    assertThat(pending.value()).isEqualTo(1);
    home.deposeLeader();
    assertThat(pending.value()).isZero();
  }

  @Test
  void manySessionsAtOnceShareEntries() throws Exception {
    home.elect(0);
    int before = home.entries().size();
    int sessions = 200;
    List<Thread> threads = new ArrayList<>();
    List<QueueId> ids = new CopyOnWriteArrayList<>();
    for (int i = 0; i < sessions; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    for (int n = 0; n < 5; n++) ids.add(accepted(random(4096), "a@example.net"));
                  }));
    }
    for (Thread t : threads) t.join();
    assertThat(ids).hasSize(5 * sessions).doesNotHaveDuplicates();
    assertThat(home.entries().size() - before).isLessThan(5 * sessions / 4);
    assertThat(spools.all().getFirst().counters().messages()).isEqualTo(5L * sessions);
  }

  private List<QueueId> listed(MessageCriteria filter) {
    List<QueueId> ids = new ArrayList<>();
    Optional<String> cursor = Optional.of("");
    for (int pages = 0; cursor.isPresent() && pages < 100; pages++) {
      Page page = spools.queries().page(filter, cursor.get(), 3);
      assertThat(page.messages()).hasSizeLessThanOrEqualTo(3);
      page.messages().stream().map(l -> l.message().id()).forEach(ids::add);
      cursor = page.next();
    }
    assertThat(cursor).isEmpty();
    return ids;
  }

  private static MessageCriteria domain(String domain) {
    return new MessageCriteria(
        Optional.empty(), Optional.of(domain), Optional.empty(), Optional.empty());
  }

  private static MessageCriteria sender(String prefix) {
    return new MessageCriteria(
        Optional.empty(), Optional.empty(), Optional.of(prefix), Optional.empty());
  }

  private static MessageCriteria status(MessageStatus status) {
    return new MessageCriteria(
        Optional.of(status), Optional.empty(), Optional.empty(), Optional.empty());
  }

  private LocatedMessage located(QueueId id) {
    return spools.queries().find(id).orElseThrow();
  }

  private OwnedSpool owned() {
    Spool spool = spools.all().getFirst();
    await().until(() -> spool.ownedSpool().isPresent());
    return spool.ownedSpool().orElseThrow();
  }

  private QueueId accepted(Envelope envelope) throws IOException {
    try (MessageWriter reception = spools.newMessage()) {
      reception.write(new byte[10], 0, 10);
      return ((CommitResult.Accepted) reception.commit(envelope)).id();
    }
  }

  private static Envelope heldUntil(long millis) {
    MailOptions plain = MailOptions.of(Envelope.BodyType.SEVEN_BIT);
    MailOptions held =
        new MailOptions(
            plain.body(), false, false, false, "", plain.returned(), 0, millis, plain.deliverBy());
    Recipient recipient = new Recipient(MailAddress.of("a@example.net"));
    return new Envelope(ReversePath.of("sender@example.org"), List.of(recipient), held);
  }

  private QueueId accepted(byte[] content, String recipient) {
    CommitResult verdict = received(content, recipient);
    assertThat(verdict).isInstanceOf(CommitResult.Accepted.class);
    return ((CommitResult.Accepted) verdict).id();
  }

  private CommitResult received(byte[] content, String recipient) {
    try (MessageWriter reception = spools.newMessage()) {
      int step = 8191;
      for (int at = 0; at < content.length; at += step) {
        reception.write(content, at, Math.min(step, content.length - at));
      }
      return reception.commit(envelope(recipient));
    } catch (IOException e) {
      throw new AssertionError("the content was refused", e);
    }
  }

  private static Envelope envelope(String recipient) {
    return new Envelope(
        ReversePath.of("sender@example.com"),
        List.of(MailAddress.of(recipient)),
        Envelope.BodyType.EIGHT_BIT_MIME);
  }

  private Spools spools(long minFree) throws IOException {
    return spools("first", minFree);
  }

  private Spools spools(String folder, long minFree) throws IOException {
    return TestSpools.open(
        new Spools.Settings("node-1", "mx.example.org", directory.resolve(folder), minFree),
        Clock.systemUTC(),
        folder.equals("first") ? registry : new SimpleMeterRegistry(),
        listening);
  }

  private static Spool join(Spools spools, FakeRaftGroup group, String node) throws IOException {
    Spool spool = spools.open("spool-" + node, node, group::join);
    return spool;
  }

  private static byte[] concat(byte[] first, byte[] second) {
    byte[] both = java.util.Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private static byte[] bytes(InputStream in) throws IOException {
    try (in) {
      return in.readAllBytes();
    }
  }

  /** Remembers what it is told. */
  private static final class Listening implements OwnershipListener {
    final List<QueueId> due = new CopyOnWriteArrayList<>();

    @Override
    public void spoolOwned(OwnedSpool spool) {}

    @Override
    public void spoolLost(OwnedSpool spool) {}

    @Override
    public void messageDue(OwnedSpool spool, QueueId id, List<String> domains) {
      due.add(id);
    }
  }
}
