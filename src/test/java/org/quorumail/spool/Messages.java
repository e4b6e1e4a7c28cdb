package org.quorumail.spool;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.MailOptions.Returned;
import org.quorumail.mail.Notify;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.Entry.AttemptResults;
import org.quorumail.spool.Entry.Body;
import org.quorumail.spool.Entry.NewMessage;
import org.quorumail.spool.Entry.Report;
import org.quorumail.spool.Entry.Slice;
import org.quorumail.spool.OwnedSpool.Result;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.Status;

/** Messages and entries for tests, from a seed or from what a test needs to say. */
final class Messages {
  static final long NOW = 1_700_000_000_000L;
  static final EnhancedStatus OK = new EnhancedStatus(2, 0, 0);

  private final Random random;

  Messages(long seed) {
    random = new Random(seed);
  }

  static QueueId id(int n) {
    return new QueueId((NOW + n) << 16, n);
  }

  /** A message of one chunk to these recipients, due at its arrival. */
  static NewMessage to(QueueId id, byte[] content, String... recipients) {
    return new NewMessage(
        spooled(id, content.length, recipients), new Body.Inline(Slice.of(content)));
  }

  static SpooledMessage spooled(QueueId id, long size, String... recipients) {
    List<RecipientState> states = new ArrayList<>();
    for (String r : recipients) {
      states.add(new RecipientState(MailAddress.of(r), Status.PENDING, 0, NOW, ""));
    }
    return new SpooledMessage(
        id,
        ReversePath.of("sender@example.com"),
        BodyType.SEVEN_BIT,
        NOW,
        size,
        false,
        false,
        states);
  }

  static Entry accept(NewMessage... messages) {
    return new Entry.Accept(List.of(messages));
  }

  static Entry outcomes(long term, QueueId id, Result... results) {
    return new Entry.Outcomes(term, List.of(new AttemptResults(id, List.of(results), null)));
  }

  static Result delivered(int recipient) {
    return new Result(recipient, new Outcome.Delivered(OK, "250 ok", "mx[192.0.2.1]"));
  }

  static Result deferred(int recipient, long untilMillis) {
    return new Result(
        recipient,
        new Outcome.Deferred(
            Instant.ofEpochMilli(untilMillis), new EnhancedStatus(4, 2, 1), "450 later", "mx"));
  }

  static Result failed(int recipient) {
    return new Result(
        recipient, new Outcome.Failed(new EnhancedStatus(5, 1, 1), "550 no such user", "mx"));
  }

  byte[] bytes(int max) {
    byte[] bytes = new byte[random.nextInt(max + 1)];
    random.nextBytes(bytes);
    return bytes;
  }

  QueueId id() {
    return new QueueId(random.nextLong(), random.nextLong());
  }

  /** Any entry. */
  Entry entry() {
    return random.nextInt(5) == 0 ? new Entry.Several(list(4, this::part)) : part();
  }

  private Entry part() {
    return switch (random.nextInt(8)) {
      case 0 -> new Entry.Accept(list(4, this::newMessage));
      case 1 -> new Entry.Chunk(id(), random.nextInt(100), number(), Slice.of(bytes(300)));
      case 2 -> new Entry.AbortUpload(id());
      case 3 -> new Entry.Outcomes(number(), list(4, this::attempt));
      case 4 -> new Entry.Remove(id());
      case 5 -> new Entry.Hold(id());
      case 6 -> new Entry.Release(id(), number());
      default -> new Entry.Retry(id(), number());
    };
  }

  private AttemptResults attempt() {
    Report report = random.nextBoolean() ? null : new Report(newMessage(), random.nextBoolean());
    return new AttemptResults(id(), list(5, this::result), report);
  }

  private Result result() {
    EnhancedStatus status = new EnhancedStatus(4, random.nextInt(1000), random.nextInt(1000));
    Outcome outcome =
        switch (random.nextInt(3)) {
          case 0 -> new Outcome.Delivered(status, text(), text());
          case 1 -> new Outcome.Deferred(Instant.ofEpochMilli(number()), status, text(), text());
          default -> new Outcome.Failed(status, text(), text());
        };
    return new Result(random.nextInt(1000), outcome);
  }

  private NewMessage newMessage() {
    Body body =
        random.nextBoolean()
            ? new Body.Inline(Slice.of(bytes(300)))
            : new Body.Uploaded(random.nextInt(100));
    return new NewMessage(spooled(), body);
  }

  private SpooledMessage spooled() {
    ReversePath from =
        random.nextBoolean() ? new ReversePath.Null() : new ReversePath.Mailbox(address());
    return new SpooledMessage(
        id(),
        from,
        random.nextBoolean() ? MailOptions.of(BodyType.EIGHT_BIT_MIME) : options(),
        number(),
        number(),
        random.nextBoolean(),
        random.nextBoolean(),
        list(5, this::recipient));
  }

  private MailOptions options() {
    BodyType[] bodies = BodyType.values();
    Returned[] returned = Returned.values();
    return new MailOptions(
        bodies[random.nextInt(bodies.length)],
        random.nextBoolean(),
        random.nextBoolean(),
        random.nextBoolean(),
        text(),
        returned[random.nextInt(returned.length)],
        random.nextInt(-9, 10),
        number(),
        random.nextBoolean()
            ? Optional.empty()
            : Optional.of(new DeliverBy(number(), random.nextBoolean(), random.nextBoolean())));
  }

  private Recipient asked() {
    if (random.nextBoolean()) return new Recipient(address());
    Notify notify =
        new Notify(
            random.nextBoolean(), random.nextBoolean(), random.nextBoolean(), random.nextBoolean());
    return new Recipient(address(), notify, text(), random.nextBoolean());
  }

  private RecipientState recipient() {
    Status[] all = Status.values();
    return new RecipientState(
        asked(), all[random.nextInt(all.length)], random.nextInt(30), number(), text());
  }

  private MailAddress address() {
    return new MailAddress(text(), text());
  }

  private String text() {
    StringBuilder text = new StringBuilder();
    int length = random.nextInt(12);
    for (int i = 0; i < length; i++) text.append("a@.\"ä€\u0000 \r\n".charAt(random.nextInt(10)));
    return text.toString();
  }

  private long number() {
    return random.nextLong(1L << 50);
  }

  private <T> List<T> list(int max, java.util.function.Supplier<T> item) {
    int n = random.nextInt(max + 1);
    List<T> items = new ArrayList<>();
    for (int i = 0; i < n; i++) items.add(item.get());
    return items;
  }
}
