package org.quorumail.spool;

import static org.quorumail.spool.ByteReader.unknown;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.quorumail.spool.SpooledMessage.RecipientState;
import org.quorumail.spool.SpooledMessage.RecipientStatus;

/**
 * A message as the store keeps it, and as a part of entries. Version 2 adds what the extensions of
 * SMTP ask of a message ({@link OptionsFormat}). Version 3 adds the prefix, which is sent before
 * the content; in the older versions the content begins with it. A message is written in the oldest
 * version that can hold it.
 */
final class MessageFormat {
  static final int PLAIN = 1;
  static final int WITH_OPTIONS = 2;
  static final int WITH_PREFIX = 3;

  /** Numbers, flags and lengths of a message, those of its options and prefix among them. */
  private static final int MESSAGE_FIXED = 84;

  private static final int RECIPIENT_FIXED = 20;

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
    boolean plain = OptionsFormat.isPlain(m.options());
    for (RecipientState r : m.recipients()) plain &= r.recipient().hasNoDemands();
    return plain ? PLAIN : WITH_OPTIONS;
  }

  /** The most bytes that the message takes; exact but for a few. */
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
    OptionsFormat.write(m.options(), out);
    for (RecipientState r : m.recipients()) OptionsFormat.write(r.recipient(), out);
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
      options = OptionsFormat.options(body, in);
      for (int i = 0; i < n; i++) {
        RecipientState r = recipients.get(i);
        Recipient asked = OptionsFormat.recipient(r.address(), in);
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

  // Codes of their own: the order of an enum's constants must not be part of a format.

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
}
