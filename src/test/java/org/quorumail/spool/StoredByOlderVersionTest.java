package org.quorumail.spool;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions.Returned;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import org.quorumail.replication.GroupSpec;
import org.quorumail.replication.RaftMember;
import org.quorumail.replication.RaftNode;
import org.quorumail.replication.RaftSettings;
import org.quorumail.spool.Intake.MessageWriter;
import org.quorumail.spool.OwnedSpool.DueRow;

/**
 * A node goes on with the data directory of version 0.1, which knew formats 1 and 2 and kept the
 * trace header as the first bytes of the content. It stopped in order with five messages, started,
 * accepted a sixth and was killed, so the store has rows of five and the log's tail has the sixth.
 */
class StoredByOlderVersionTest {
  private static final String PEER = "node-1-edeada1e";
  private static final String SPOOL = "spool-node-1";
  private static final String LARGE =
      "Subject: large\r\n\r\n" + ("0123456789abcdef".repeat(4) + "\r\n").repeat(4700);

  @TempDir Path directory;
  private Spools spools;
  private RaftNode raft;
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  @BeforeEach
  void open() throws Exception {
    unzip("/stored/version-0.1.zip", directory);
    start();
  }

  @AfterEach
  void close() {
    stop();
    assertThat(failure.get()).isNull();
  }

  @Test
  void itsMessagesAreRead() throws Exception {
    OwnedSpool owned = owned();
    List<SpooledMessage> messages = messages();
    assertThat(messages)
        .extracting(m -> m.recipients().getFirst().address().toString())
        .containsExactly(
            "a@one.test", "b@one.test", "d@three.test", "e@four.test", "f@five.test", "g@six.test");
    assertThat(messages)
        .allMatch(m -> m.reversePath().equals(ReversePath.of("sender@example.com")));
    List<String> contents =
        List.of(
            "Subject: plain\r\n\r\nhello\r\n",
            "Subject: two\r\n\r\n.dot\r\n",
            "Subject: demands\r\n\r\nenvid\r\n",
            LARGE,
            "Subject: held\r\n\r\nwait\r\n",
            "Subject: tail\r\n\r\nin the log only\r\n");
    for (int i = 0; i < 6; i++) {
      SpooledMessage message = messages.get(i);
      String content = content(owned, message.id());
      assertThat(content).startsWith("Received: from client.example (").endsWith(contents.get(i));
      assertThat(content.indexOf("Subject: "))
          .isEqualTo(content.length() - contents.get(i).length());
      assertThat(message.size()).isEqualTo(content.length());
    }
    assertThat(spools.all().getFirst().store().message(messages.get(3).id()).orElseThrow().chunks())
        .isEqualTo(2);
  }

  @Test
  void itsDemandsHoldsAndDueTimesAreKept() {
    OwnedSpool owned = owned();
    List<SpooledMessage> messages = messages();
    SpooledMessage demands = messages.get(2);
    assertThat(demands.options().envelopeId()).isEqualTo("QQ314159");
    assertThat(demands.options().returned()).isEqualTo(Returned.HEADERS);
    assertThat(demands.recipients().getFirst().recipient().originalRecipient())
        .isEqualTo("rfc822;d@three.test");
    assertThat(messages.get(4).held()).isTrue();
    List<DueRow> rows = owned.dueRows("one.test", Long.MAX_VALUE, 10);
    assertThat(rows).extracting(DueRow::id).contains(messages.get(0).id(), messages.get(1).id());
    assertThat(owned.dueRows("five.test", Long.MAX_VALUE, 10)).isEmpty();
    for (SpooledMessage m : messages.subList(0, 4)) {
      assertThat(m.recipients().getFirst().attempts()).isPositive();
      assertThat(m.recipients().getFirst().dueMillis()).isGreaterThan(m.arrivedMillis());
    }
    SpoolCounters counters = spools.all().getFirst().counters();
    assertThat(counters.messages()).isEqualTo(6);
    assertThat(counters.held()).isEqualTo(1);
  }

  @Test
  void theNodeGoesOnWithIt() throws Exception {
    OwnedSpool owned = owned();
    List<SpooledMessage> old = messages();
    assertThat(owned.recordOutcomes(old.get(3).id(), List.of(TestMessages.delivered(0)), null))
        .isTrue();
    String before = content(owned, old.get(1).id());
    long later = System.currentTimeMillis() + 60_000;
    owned.recordOutcomes(old.get(1).id(), List.of(TestMessages.deferred(1, later)), null);
    QueueId added = accept();

    stop();
    start();

    assertThat(messages()).hasSize(6).noneMatch(m -> m.id().equals(old.get(3).id()));
    assertThat(content(owned(), old.get(1).id())).isEqualTo(before);
    assertThat(content(owned(), added)).isEqualTo("Received: here\r\nSubject: new\r\n\r\n");
  }

  private QueueId accept() throws IOException {
    try (MessageWriter writer = spools.newMessage()) {
      byte[] content = "Subject: new\r\n\r\n".getBytes(ISO_8859_1);
      writer.write(content, 0, content.length);
      var envelope =
          new Envelope(
              ReversePath.of("sender@example.com"),
              List.of(MailAddress.of("h@seven.test")),
              Envelope.BodyType.SEVEN_BIT);
      byte[] prefix = "Received: here\r\n".getBytes(ISO_8859_1);
      assertThat(writer.commit(envelope, prefix, Optional.empty()))
          .isInstanceOf(Intake.CommitResult.Accepted.class);
      return writer.id();
    }
  }

  private List<SpooledMessage> messages() {
    return spools.queries().page(SpoolQueries.MessageCriteria.ALL, "", 100).messages().stream()
        .map(SpoolQueries.LocatedMessage::message)
        .toList();
  }

  private static String content(OwnedSpool spool, QueueId id) throws IOException {
    try (InputStream in = spool.content(id)) {
      return new String(in.readAllBytes(), ISO_8859_1);
    }
  }

  private OwnedSpool owned() {
    Spool spool = spools.all().getFirst();
    await().until(() -> spool.ownedSpool().isPresent());
    return spool.ownedSpool().orElseThrow();
  }

  private void start() throws Exception {
    spools =
        TestSpools.open(
            new Spools.Settings("node-1", "mx1.example.org", directory.resolve("spool"), 0),
            Clock.systemUTC(),
            new SimpleMeterRegistry(),
            new SilentListener());
    raft =
        RaftNode.start(
            RaftSettings.standAlone("alone", PEER, directory.resolve("raft")),
            new SimpleMeterRegistry(),
            failure::set);
    RaftMember self = new RaftMember(PEER, "127.0.0.1", 7);
    spools.open(SPOOL, "node-1", state -> raft.open(new GroupSpec(SPOOL, List.of(self)), state));
  }

  private void stop() {
    spools.endOwnership();
    raft.close();
    spools.close();
  }

  private static void unzip(String resource, Path target) throws IOException {
    InputStream stored = StoredByOlderVersionTest.class.getResourceAsStream(resource);
    try (ZipInputStream zip = new ZipInputStream(stored)) {
      List<String> names = new ArrayList<>();
      for (ZipEntry e = zip.getNextEntry(); e != null; e = zip.getNextEntry()) {
        Path file = target.resolve(e.getName());
        Files.createDirectories(file.getParent());
        Files.copy(zip, file);
        names.add(e.getName());
      }
      assertThat(names).anyMatch(n -> n.endsWith(".blob")).anyMatch(n -> n.contains("inprogress"));
    }
  }

  private static final class SilentListener implements OwnershipListener {
    @Override
    public void spoolOwned(OwnedSpool spool) {}

    @Override
    public void spoolLost(OwnedSpool spool) {}

    @Override
    public void messageDue(OwnedSpool spool, QueueId id, List<String> domains) {}
  }
}
