package org.quorumail.spool;

import static org.quorumail.spool.ByteReader.unknown;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.MailOptions.Returned;
import org.quorumail.mail.Notify;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/**
 * The bytes of a message in the store and in entries. Version 2 adds the parameters of SMTP's
 * extensions. Version 3 adds the prefix, which is sent before the content; in the older versions
 * the content begins with it. A message is written in the oldest version that can hold it.
 */
final class MessageFormat {
  static final int PLAIN = 1;
  static final int WITH_OPTIONS = 2;
  static final int WITH_PREFIX = 3;

  /** Numbers, flags and lengths of a message, those of its options and prefix among them. */
  private static final int MESSAGE_FIXED = 84;

  private static final int RECIPIENT_FIXED = 20;

  private static final int UTF8_HEADER = 1;
  private static final int BARE_LINE_ENDS = 2;
  private static final int REQUIRE_TLS = 4;
  private static final int DELIVER_BY = 8;
  private static final int RETURNS = 16;
  private static final int TRACE = 32;
  private static final int MESSAGE_BITS = 63;

  private static final int SPECIFIED = 1;
  private static final int SUCCESS = 2;
  private static final int FAILURE = 4;
  private static final int DELAY = 8;
  private static final int EXPANDED = 16;
  private static final int RECIPIENT_BITS = 31;

  private static final int PRIORITY_BASE = 9; // so that no byte is negative

  private MessageFormat() {}

  static byte[] writeRow(StoredMessage stored) {
    int version = version(stored.message(), stored.prefix());
    ByteWriter out = new ByteWriter(sizeBound(stored.message(), stored.prefix()));
    out.u8(version).i32(stored.chunks());
    write(stored.message(), stored.prefix(), version, out);
    return out.finish();
  }

  static StoredMessage readRow(byte[] row) throws IOException {
    ByteReader in = new ByteReader(ByteBuffer.wrap(row), "a stored message");
    int version = in.u8();
    if (!isKnownVersion(version)) throw unknown("a stored message", "version", version);
    int chunks = in.i32();
    SpooledMessage message = read(version, in);
    ByteSlice prefix = prefix(version, in);
    in.end();
    return new StoredMessage(message, prefix, chunks);
  }

  static boolean isKnownVersion(int version) {
    return version >= PLAIN && version <= WITH_PREFIX;
  }

  /** The oldest version that can hold the message. */
  static int version(SpooledMessage m, ByteSlice prefix) {
    if (prefix.length() > 0) return WITH_PREFIX;
    boolean plain = isPlain(m.options());
    for (RecipientState r : m.recipients()) plain &= r.recipient().hasNoDemands();
    return plain ? PLAIN : WITH_OPTIONS;
  }

  /** The most bytes that the message takes; a tight bound. */
  static int sizeBound(SpooledMessage message, ByteSlice prefix) {
    int bytes = MESSAGE_FIXED + prefix.length();
    bytes += ByteWriter.maxTextBytes(message.options().envelopeId());
    if (message.reversePath() instanceof ReversePath.Mailbox m) bytes += sizeBound(m.address());
    for (RecipientState r : message.recipients()) {
      bytes += RECIPIENT_FIXED + sizeBound(r.address());
      bytes += ByteWriter.maxTextBytes(r.diagnostic());
      bytes += ByteWriter.maxTextBytes(r.recipient().originalRecipient());
    }
    return bytes;
  }

  private static int sizeBound(MailAddress address) {
    return ByteWriter.maxTextBytes(address.localPart()) + ByteWriter.maxTextBytes(address.domain());
  }

  static void write(SpooledMessage m, ByteSlice prefix, int version, ByteWriter out) {
    out.id(m.id());
    switch (m.reversePath()) {
      case ReversePath.Null none -> out.flag(false);
      case ReversePath.Mailbox mailbox -> write(mailbox.address(), out.flag(true));
    }
    out.u8(code(m.body())).i64(m.arrivedMillis()).i64(m.size());
    out.flag(m.held()).flag(m.delayReported()).i32(m.recipients().size());
    for (RecipientState r : m.recipients()) {
      write(r.address(), out);
      out.u8(code(r.status())).i32(r.attempts()).i64(r.dueMillis()).text(r.diagnostic());
    }
    if (version == PLAIN) return;
    write(m.options(), out);
    for (RecipientState r : m.recipients()) write(r.recipient(), out);
    if (version >= WITH_PREFIX) out.block(prefix);
  }

  /** Reads the prefix, which follows what {@link #read} reads. */
  static ByteSlice prefix(int version, ByteReader in) throws IOException {
    return version >= WITH_PREFIX ? in.block() : ByteSlice.EMPTY;
  }

  static SpooledMessage read(int version, ByteReader in) throws IOException {
    var id = in.id();
    ReversePath reversePath =
        in.flag() ? new ReversePath.Mailbox(address(in)) : new ReversePath.Null();
    BodyType body = bodyType(in.u8());
    long arrived = in.i64();
    long size = in.i64();
    boolean held = in.flag();
    boolean delayReported = in.flag();
    int n = in.count();
    List<RecipientState> recipients = new ArrayList<>(n);
    for (int i = 0; i < n; i++) {
      recipients.add(
          new RecipientState(address(in), status(in.u8()), in.i32(), in.i64(), in.text()));
    }
    MailOptions options = MailOptions.of(body);
    if (version >= WITH_OPTIONS) {
      options = options(body, in);
      for (int i = 0; i < n; i++) {
        RecipientState r = recipients.get(i);
        Recipient asked = recipient(r.address(), in);
        recipients.set(
            i, new RecipientState(asked, r.status(), r.attempts(), r.dueMillis(), r.diagnostic()));
      }
    }
    return new SpooledMessage(
        id, reversePath, options, arrived, size, held, delayReported, recipients);
  }

  private static void write(MailAddress address, ByteWriter out) {
    out.text(address.localPart()).text(address.domain());
  }

  private static MailAddress address(ByteReader in) throws IOException {
    return new MailAddress(in.text(), in.text());
  }

  // Explicit codes: the order of an enum's constants must not be part of a format.

  private static int code(BodyType body) {
    return switch (body) {
      case SEVEN_BIT -> 7;
      case EIGHT_BIT_MIME -> 8;
      case BINARY_MIME -> 9;
    };
  }

  private static BodyType bodyType(int code) throws IOException {
    return switch (code) {
      case 7 -> BodyType.SEVEN_BIT;
      case 8 -> BodyType.EIGHT_BIT_MIME;
      case 9 -> BodyType.BINARY_MIME;
      default -> throw unknown("a message", "body type", code);
    };
  }

  private static int code(RecipientStatus status) {
    return switch (status) {
      case PENDING -> 1;
      case DELIVERED -> 2;
      case FAILED -> 3;
    };
  }

  private static RecipientStatus status(int code) throws IOException {
    return switch (code) {
      case 1 -> RecipientStatus.PENDING;
      case 2 -> RecipientStatus.DELIVERED;
      case 3 -> RecipientStatus.FAILED;
      default -> throw unknown("a message", "recipient status", code);
    };
  }

  /**
   * Returns whether version 1 can hold the options: a body type that it knows, and nothing else.
   */
  private static boolean isPlain(MailOptions options) {
    return options.body() != BodyType.BINARY_MIME && options.equals(MailOptions.of(options.body()));
  }

  private static void write(MailOptions o, ByteWriter out) {
    int bits = 0;
    if (o.utf8Header()) bits |= UTF8_HEADER;
    if (o.bareLineEnds()) bits |= BARE_LINE_ENDS;
    if (o.requireTls()) bits |= REQUIRE_TLS;
    Optional<DeliverBy> by = o.deliverBy();
    if (by.isPresent()) {
      bits |= DELIVER_BY;
      if (by.get().returnsWhenLate()) bits |= RETURNS;
      if (by.get().trace()) bits |= TRACE;
    }
    out.u8(bits).text(o.envelopeId()).u8(code(o.returned()));
    out.u8(o.priority() + PRIORITY_BASE).i64(o.holdUntilMillis());
    out.i64(by.map(DeliverBy::untilMillis).orElse(0L));
  }

  private static MailOptions options(BodyType body, ByteReader in) throws IOException {
    int bits = in.u8();
    if ((bits & ~MESSAGE_BITS) != 0) throw unknown("a message", "options", bits);
    String envelopeId = in.text();
    Returned returned = returned(in.u8());
    int priority = in.u8() - PRIORITY_BASE;
    long holdUntil = in.i64();
    long deliverBy = in.i64();
    return new MailOptions(
        body,
        (bits & UTF8_HEADER) != 0,
        (bits & BARE_LINE_ENDS) != 0,
        (bits & REQUIRE_TLS) != 0,
        envelopeId,
        returned,
        priority,
        holdUntil,
        (bits & DELIVER_BY) == 0
            ? Optional.empty()
            : Optional.of(new DeliverBy(deliverBy, (bits & RETURNS) != 0, (bits & TRACE) != 0)));
  }

  private static void write(Recipient recipient, ByteWriter out) {
    Notify n = recipient.notifyOn();
    int bits = 0;
    if (n.specified()) bits |= SPECIFIED;
    if (n.success()) bits |= SUCCESS;
    if (n.failure()) bits |= FAILURE;
    if (n.delay()) bits |= DELAY;
    if (recipient.expanded()) bits |= EXPANDED;
    out.u8(bits).text(recipient.originalRecipient());
  }

  private static Recipient recipient(MailAddress address, ByteReader in) throws IOException {
    int bits = in.u8();
    if ((bits & ~RECIPIENT_BITS) != 0) throw unknown("a recipient", "notify", bits);
    Notify notify =
        new Notify(
            (bits & SPECIFIED) != 0,
            (bits & SUCCESS) != 0,
            (bits & FAILURE) != 0,
            (bits & DELAY) != 0);
    return new Recipient(address, notify, in.text(), (bits & EXPANDED) != 0);
  }

  private static int code(Returned returned) {
    return switch (returned) {
      case UNSPECIFIED -> 0;
      case FULL -> 1;
      case HEADERS -> 2;
    };
  }

  private static Returned returned(int code) throws IOException {
    return switch (code) {
      case 0 -> Returned.UNSPECIFIED;
      case 1 -> Returned.FULL;
      case 2 -> Returned.HEADERS;
      default -> throw unknown("a message", "RET", code);
    };
  }
}
