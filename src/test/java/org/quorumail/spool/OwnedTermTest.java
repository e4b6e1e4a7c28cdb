package org.quorumail.spool;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.Intake.MessageWriter;

/** The replicated spool keeps the contract. */
class OwnedTermTest extends OwnedSpoolContract {
  @TempDir Path directory;
  private final FakeRaftGroup group = new FakeRaftGroup("spool-a");
  private Spools spools;
  private Spool spool;

  @BeforeEach
  void open() throws IOException {
    spools =
        TestSpools.open(
            new Spools.Settings("a", "mx.example.org", directory, 0),
            Clock.fixed(Instant.ofEpochMilli(NOW), ZoneOffset.UTC),
            new SimpleMeterRegistry(),
            new IgnoringListener());
    spool = spools.open("spool-a", "a", group::join);
    group.elect(0);
    await().until(() -> spool.ownedSpool().isPresent());
  }

  @AfterEach
  void close() {
    spools.close();
    group.close();
  }

  @Override
  protected OwnedSpool spool() {
    return spool.ownedSpool().orElseThrow();
  }

  @Override
  protected QueueId accept(Envelope envelope, String content) throws IOException {
    try (MessageWriter writer = spools.newMessage()) {
      byte[] bytes = content.getBytes(ISO_8859_1);
      writer.write(bytes, 0, bytes.length);
      assertThat(writer.commit(envelope)).isInstanceOf(Intake.CommitResult.Accepted.class);
      return writer.id();
    }
  }

  @Override
  protected long inDoubt() {
    return spool.inDoubt();
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
