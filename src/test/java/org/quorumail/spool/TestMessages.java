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
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.SpoolEntry.AttemptOutcomes;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.quorumail.spool.SpoolEntry.ContentLocation;
import org.quorumail.spool.SpoolEntry.Dsn;
import org.quorumail.spool.SpoolEntry.NewMessage;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/** Messages and entries for tests, from a seed or from what a test needs to say. */
final class TestMessages {
  static final long NOW = 1_700_000_000_000L;
  static final EnhancedStatus OK = new EnhancedStatus(2, 0, 0);

  private final Random random;

  TestMessages(long seed) {
    random = new Random(seed);
  }

  static QueueId id(int n) {
    return new QueueId((NOW + n) << 16, n);
  }

  /** A message of one chunk to these recipients, due at its arrival. */
  static NewMessage to(QueueId id, byte[] content, String... recipients) {
    return new NewMessage(
        spooled(id, content.length, recipients),
        ByteSlice.EMPTY,
        new ContentLocation.Inline(ByteSlice.of(content)));
  }

  static SpooledMessage spooled(QueueId id, long size, String... recipients) {
    List<RecipientState> states = new ArrayList<>();
    for (String r : recipients) {
      states.add(new RecipientState(MailAddress.of(r), RecipientStatus.PENDING, 0, NOW, ""));
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

  static SpoolEntry accept(NewMessage... messages) {
    return new SpoolEntry.Accept(List.of(messages));
  }

  static SpoolEntry outcomes(long term, QueueId id, RecipientOutcome... results) {
    return new SpoolEntry.Outcomes(term, List.of(new AttemptOutcomes(id, List.of(results), null)));
  }

  static RecipientOutcome delivered(int recipient) {
    return new RecipientOutcome(recipient, new Outcome.Delivered(OK, "250 ok", "mx[192.0.2.1]"));
  }

  static RecipientOutcome deferred(int recipient, long untilMillis) {
    return new RecipientOutcome(
        recipient,
        new Outcome.Deferred(
            Instant.ofEpochMilli(untilMillis), new EnhancedStatus(4, 2, 1), "450 later", "mx"));
  }

  static RecipientOutcome failed(int recipient) {
    return new RecipientOutcome(
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
  SpoolEntry entry() {
    return random.nextInt(5) == 0 ? new SpoolEntry.Batch(list(4, this::part)) : part();
  }

  private SpoolEntry part() {
    return switch (random.nextInt(10)) {
      case 0 -> new SpoolEntry.Accept(list(4, this::newMessage));
      case 1 -> new SpoolEntry.Chunk(id(), random.nextInt(100), number(), ByteSlice.of(bytes(300)));
      case 2 -> new SpoolEntry.AbortUpload(id());
      case 3 -> new SpoolEntry.Outcomes(number(), list(4, this::attempt));
      case 4 -> new SpoolEntry.Remove(id(), sometimes());
      case 5 -> new SpoolEntry.Hold(id(), sometimes());
      case 6 -> new SpoolEntry.Release(id(), number());
      case 7 -> new SpoolEntry.Close();
      case 8 -> new SpoolEntry.EventSegment(random.nextInt(99), random.nextInt(99), number());
      default -> new SpoolEntry.Retry(id(), number());
    };
  }

  private AttemptOutcomes attempt() {
    Dsn report = random.nextBoolean() ? null : new Dsn(newMessage(), random.nextBoolean());
    long at = sometimes();
    return new AttemptOutcomes(id(), list(5, () -> result(at)), report, at);
  }

  /** A time, or 0 as an older release has it. */
  private long sometimes() {
    return random.nextBoolean() ? 0 : number();
  }

  private RecipientOutcome result(long at) {
    EnhancedStatus status = new EnhancedStatus(4, random.nextInt(1000), random.nextInt(1000));
    Outcome outcome =
        switch (random.nextInt(3)) {
          case 0 -> new Outcome.Delivered(status, text(), text());
          case 1 -> new Outcome.Deferred(Instant.ofEpochMilli(number()), status, text(), text());
          default -> new Outcome.Failed(status, text(), text());
        };
    return new RecipientOutcome(random.nextInt(1000), outcome, at == 0 ? "" : text());
  }

  private NewMessage newMessage() {
    ContentLocation body =
        random.nextBoolean()
            ? new ContentLocation.Inline(ByteSlice.of(bytes(300)))
            : new ContentLocation.Uploaded(random.nextInt(100));
    ByteSlice prefix = random.nextBoolean() ? ByteSlice.EMPTY : ByteSlice.of(bytes(300));
    return new NewMessage(spooled(), prefix, body, random.nextBoolean() ? null : arrival());
  }

  private Arrival arrival() {
    return new Arrival(text(), text(), text(), text(), text(), text(), text());
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
    RecipientStatus[] all = RecipientStatus.values();
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
