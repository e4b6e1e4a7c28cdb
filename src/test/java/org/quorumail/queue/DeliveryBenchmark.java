package org.quorumail.queue;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.dsn.DsnComposer;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.node.Config;
import org.quorumail.spool.OwnedSpool;
import org.quorumail.spool.SpooledMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/**
 * A measurement, run by hand: {@code DeliveryBenchmark PORT COUNT} relays messages of 4 KiB from
 * memory to a sink on loopback, such as {@code smtp-sink -c 127.0.0.1:PORT 1000}.
 */
final class DeliveryBenchmark {
  private static final int OUTSTANDING = 1000;
  private static final byte[] CONTENT =
      ("Subject: speed\r\n\r\n" + ("x".repeat(62) + "\r\n").repeat(64))
          .getBytes(StandardCharsets.US_ASCII);

  private DeliveryBenchmark() {}

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    int count = Integer.parseInt(args[1]);
    Config config =
        TestConfig.of(
            """
            hostname = "speed.test"
            [[route]]
            domain = "*"
            to = ["smtp://127.0.0.1:%d"]
            """
                .formatted(port));
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    DeliveryAgent agent = TestConfig.agent(config, new MxOverrides(), meters);
    DsnComposer dsns = new DsnComposer(config.hostname(), config.delivery().dsn());
    try (DeliveryQueue queue =
        DeliveryQueue.start(agent, config.delivery(), dsns, true, meters, Clock.systemUTC())) {
      MemorySpool spool = new MemorySpool();
      queue.spoolOwned(spool);
      for (int round = 0; round < 3; round++) {
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) spool.add(queue);
        spool.places.acquire(OUTSTANDING);
        spool.places.release(OUTSTANDING);
        double seconds = Duration.ofNanos(System.nanoTime() - start).toMillis() / 1000.0;
        System.out.printf("%d messages, %.0f per second%n", count, count / seconds);
      }
    }
  }

  /** A spool with hints only, without an index; it records at once. */
  private static final class MemorySpool implements OwnedSpool {
    final Semaphore places = new Semaphore(OUTSTANDING);
    private final Map<QueueId, SpooledMessage> messages = new ConcurrentHashMap<>();

    void add(DeliveryQueue queue) throws InterruptedException {
      places.acquire();
      long now = System.currentTimeMillis();
      QueueId id = QueueId.generate(Instant.ofEpochMilli(now));
      MailAddress to = MailAddress.of("to@there.test");
      messages.put(
          id,
          new SpooledMessage(
              id,
              ReversePath.of("from@here.test"),
              BodyType.SEVEN_BIT,
              now,
              CONTENT.length,
              false,
              false,
              List.of(new RecipientState(to, RecipientStatus.PENDING, 0, now, ""))));
      queue.messageDue(this, id, List.of(to.domain()));
    }

    @Override
    public String name() {
      return "memory";
    }

    @Override
    public long term() {
      return 1;
    }

    @Override
    public boolean mayDeliver() {
      return true;
    }

    @Override
    public Optional<InDoubtDeliveries> enterDoubt(int recipients) {
      return Optional.of(() -> {});
    }

    @Override
    public Optional<DueRow> firstDue() {
      return messages.keySet().stream()
          .findAny()
          .map(id -> new DueRow("there.test", id.arrived().toEpochMilli(), id));
    }

    @Override
    public Optional<DueRow> firstDueAfter(String domain) {
      return Optional.empty();
    }

    @Override
    public List<DueRow> dueRows(String domain, long untilMillis, int limit) {
      return messages.keySet().stream()
          .limit(limit)
          .map(id -> new DueRow(domain, id.arrived().toEpochMilli(), id))
          .toList();
    }

    @Override
    public Optional<SpooledMessage> message(QueueId id) {
      return Optional.ofNullable(messages.get(id));
    }

    @Override
    public InputStream content(QueueId id) {
      return new ByteArrayInputStream(CONTENT);
    }

    @Override
    public boolean recordOutcomes(
        QueueId id, List<RecipientOutcome> results, @Nullable DsnMessage notification) {
      if (messages.remove(id) != null) places.release();
      return true;
    }
  }
}
