package org.quorumail.spool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.ReversePath;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Mail is accepted into a spool, and the file gets its events. */
class AccountingFileTest {
  @TempDir Path directory;
  private final FakeRaftGroup group = new FakeRaftGroup("spool-a");
  private Spools spools;
  private Path file;

  @BeforeEach
  void open() throws IOException {
    file = directory.resolve("accounting.jsonl");
    spools =
        TestSpools.open(
            new Spools.Settings("a", "mx.example.org", directory.resolve("spool"), 0),
            Clock.systemUTC(),
            new SimpleMeterRegistry(),
            new IgnoringListener());
    Spool spool = spools.open("spool-a", "a", group::join);
    group.elect(0);
    await().until(() -> spool.ownedSpool().isPresent());
    spools.recordEvents();
  }

  @AfterEach
  void close() {
    spools.close();
    group.close();
  }

  private AccountingFile accounting(long maxSize, int keep) {
    return new AccountingFile(
        new AccountingConfig(Optional.of(file), maxSize, keep),
        directory.resolve("accounting.position"),
        "spool-a",
        spools);
  }

  @Test
  void eachEventIsOneLineOverRestartsAndMoves() throws IOException {
    accounting(1_000_000, 3).write();
    assertThat(file).as("only what happens from now on").doesNotExist();
    List<String> accepted = new ArrayList<>();
    for (int i = 0; i < 3; i++) accepted.add(accept());
    accounting(1_000_000, 3).write();
    accepted.add(accept());
    accounting(1_000_000, 3).write(); // the position is in a file
    accounting(1_000_000, 3).write();
    assertThat(ids(file)).isEqualTo(accepted);
    JsonNode first = JsonMapper.shared().readTree(Files.readAllLines(file).getFirst());
    assertThat(first.path("type").asString()).isEqualTo("accepted");
    assertThat(first.path("recipients").get(0).asString()).isEqualTo("bob@one.example");
    assertThat(first.path("client").asString()).isEqualTo("192.0.2.7");

    Path moved = directory.resolve("moved");
    Files.move(file, moved);
    String last = accept();
    accounting(1_000_000, 3).write();
    assertThat(ids(file)).containsExactly(last);
  }

  @Test
  void aLargeFileIsRenamedAndTheOldestIsDeleted() throws IOException {
    AccountingFile accounting = accounting(10, 2);
    accounting.write();
    List<String> accepted = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      accepted.add(accept());
      accounting.write();
    }
    assertThat(ids(file)).containsExactly(accepted.get(3));
    assertThat(ids(directory.resolve("accounting.jsonl.1"))).containsExactly(accepted.get(2));
    assertThat(ids(directory.resolve("accounting.jsonl.2"))).containsExactly(accepted.get(1));
    assertThat(directory.resolve("accounting.jsonl.3")).doesNotExist();
  }

  @Test
  void aFileThatCannotBeWrittenGetsTheEventsLater() throws IOException {
    AccountingFile accounting = accounting(1_000_000, 3);
    accounting.write();
    Files.createDirectory(file);
    String accepted = accept();
    accounting.write();
    accounting.write();
    Files.delete(file);
    accounting.write();
    assertThat(ids(file)).containsExactly(accepted);
  }

  private static List<String> ids(Path file) throws IOException {
    List<String> ids = new ArrayList<>();
    for (String line : Files.readAllLines(file))
      ids.add(JsonMapper.shared().readTree(line).path("queue_id").asString());
    return ids;
  }

  private String accept() throws IOException {
    try (Intake.MessageWriter writer = spools.newMessage()) {
      writer.arrival(new Arrival("192.0.2.7", "", "helo", "ESMTP", "", "", ""));
      writer.write(new byte[] {'x', '\r', '\n'}, 0, 3);
      Envelope envelope =
          new Envelope(
              ReversePath.of("ada@example.com"),
              List.of(MailAddress.of("bob@one.example")),
              Envelope.BodyType.SEVEN_BIT);
      assertThat(writer.commit(envelope)).isInstanceOf(Intake.CommitResult.Accepted.class);
      return writer.id().toString();
    }
  }

  private static final class IgnoringListener implements OwnershipListener {
    @Override
    public void spoolOwned(OwnedSpool owned) {}

    @Override
    public void spoolLost(OwnedSpool owned) {}

    @Override
    public void messageDue(OwnedSpool owned, QueueId id, List<String> domains) {}
  }
}
