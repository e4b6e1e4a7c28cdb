package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.replication.GroupSpec;
import org.quorumail.replication.RaftMember;
import org.quorumail.replication.RaftNode;
import org.quorumail.replication.RaftSettings;
import org.quorumail.replication.RaftStartException;
import org.quorumail.spool.Intake.MessageWriter;

/** The spool on the log that it really has: a group of one. */
@Execution(ExecutionMode.CONCURRENT)
class SpoolOnRaftTest {
  @TempDir Path directory;

  @Test
  void whatWasAcceptedIsThereAfterARestartAndSoIsWhatWasRecorded() throws Exception {
    List<QueueId> ids = new ArrayList<>();
    try (TestNode node = new TestNode()) {
      for (int i = 0; i < 40; i++) ids.add(node.accept(new byte[3000]));
      ids.add(node.accept(new byte[900_000]));
      OwnedSpool owned = node.owned();
      for (QueueId id : ids.subList(0, 20)) {
        assertThat(owned.recordOutcomes(id, List.of(TestMessages.delivered(0)), null)).isTrue();
      }
    }
    try (TestNode node = new TestNode()) {
      OwnedSpool owned = node.owned();
      assertThat(node.spool.counters().messages()).isEqualTo(21);
      for (QueueId id : ids.subList(0, 20)) assertThat(owned.message(id)).isEmpty();
      for (QueueId id : ids.subList(20, 40)) {
        assertThat(owned.content(id).readAllBytes()).hasSize(3000);
      }
      assertThat(owned.content(ids.getLast()).readAllBytes()).hasSize(900_000);
      assertThat(node.failure.get()).isNull();
    }
  }

  @Test
  void anEntryThatCannotBeReadIsRefusedAndTheNodeGoesOnAndStartsAgain() throws Exception {
    QueueId before;
    QueueId after;
    try (TestNode node = new TestNode()) {
      before = node.accept(new byte[10]);
      await().until(node.spool::isLeader);
      for (byte[] rubbish : List.of(new byte[] {1, 2, 3, 4}, new byte[4], new byte[] {99, 1})) {
        var refused = node.spool.append(rubbish, Duration.ofSeconds(5));
        assertThatThrownBy(() -> refused.get(10, TimeUnit.SECONDS))
            .hasMessageContaining("the leader refused the entry");
      }
      after = node.accept(new byte[20]);
      assertThat(node.failure.get()).isNull();
    }
    try (TestNode node = new TestNode()) {
      assertThat(node.owned().message(before)).isPresent();
      assertThat(node.owned().message(after)).isPresent();
      assertThat(node.failure.get()).isNull();
    }
  }

  private final class TestNode implements AutoCloseable {
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    final Spools spools;
    final Spool spool;
    private final RaftNode raft;

    TestNode() throws IOException, RaftStartException {
      spools =
          TestSpools.open(
              new Spools.Settings("n1", "mx.example.org", directory.resolve("spool"), 0),
              Clock.systemUTC(),
              new SimpleMeterRegistry(),
              new Deaf());
      raft =
          RaftNode.start(
              RaftSettings.standAlone("test", "n1", directory.resolve("raft")),
              new SimpleMeterRegistry(),
              failure::set);
      RaftMember self = new RaftMember("n1", "127.0.0.1", 7);
      spool =
          spools.open(
              "spool-n1", "n1", s -> raft.open(new GroupSpec("spool-n1", List.of(self)), s));
    }

    OwnedSpool owned() {
      await().until(() -> spool.ownedSpool().isPresent());
      return spool.ownedSpool().orElseThrow();
    }

    QueueId accept(byte[] content) throws IOException {
      await().until(() -> spools.readiness() == Intake.Readiness.READY);
      try (MessageWriter reception = spools.newMessage()) {
        reception.write(content, 0, content.length);
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

    @Override
    public void close() {
      spools.endOwnership();
      raft.close();
      spools.close();
    }
  }

  private static final class Deaf implements OwnershipListener {
    @Override
    public void spoolOwned(OwnedSpool spool) {}

    @Override
    public void spoolLost(OwnedSpool spool) {}

    @Override
    public void messageDue(OwnedSpool spool, QueueId id, List<String> domains) {}
  }
}
