package org.quorumail.spool;

import static org.quorumail.spool.ByteReader.unknown;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.QueueId;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.spool.SpoolEntry.AttemptOutcomes;
import org.quorumail.spool.SpoolEntry.ByteSlice;
import org.quorumail.spool.SpoolEntry.ContentLocation;
import org.quorumail.spool.SpoolEntry.Dsn;
import org.quorumail.spool.SpoolEntry.NewMessage;

/**
 * The bytes of a {@link SpoolEntry}: version, type, fields. An unknown version or type is an error
 * that stops the node. It is never skipped, because replicas that skip differently diverge.
 */
final class SpoolEntryFormat {
  /**
   * The bytes before a chunk's content, so that a {@link SpoolMessageWriter} can fill them in
   * place.
   */
  static final int CHUNK_HEADER = 2 + QueueId.BYTES + 4 + 8 + 4;

  /**
   * The version of an entry without messages; otherwise its messages decide, see {@link
   * MessageFormat}.
   */
  private static final int VERSION = MessageFormat.PLAIN;

  /**
   * The version that carries what events keep: arrivals, times and TLS. Its messages are in version
   * {@link MessageFormat#WITH_PREFIX}. It is written when all members know it.
   */
  private static final int WITH_EVENTS = 24;

  private static final int ACCEPT = 1;
  private static final int CHUNK = 2;
  private static final int ABORT_UPLOAD = 3;
  private static final int OUTCOMES = 4;
  private static final int REMOVE = 5;
  private static final int HOLD = 6;
  private static final int RELEASE = 7;
  private static final int RETRY = 8;
  private static final int BATCH = 9;
  private static final int CLOSE = 10;
  private static final int EVENT_SEGMENT = 31;
  private static final int ACCEPT_ONCE = 51;

  private static final int DELIVERED = 1;
  private static final int DEFERRED = 2;
  private static final int FAILED = 3;

  private static final int INLINE = 1;
  private static final int UPLOADED = 2;

  private static final int SMALL = 64;
  private static final int RESULT_FIXED = 20;
  private static final int KEY = 2 * RequestKey.LENGTH + 12;

  private SpoolEntryFormat() {}

  static byte[] write(SpoolEntry entry) {
    return switch (entry) {
      case SpoolEntry.Accept e -> accept(e);
      case SpoolEntry.AcceptOnce e -> acceptOnce(e);
      case SpoolEntry.Chunk e ->
          head(CHUNK, CHUNK_HEADER + e.bytes().length())
              .id(e.upload())
              .i32(e.number())
              .i64(e.atMillis())
              .block(e.bytes())
              .finish();
      case SpoolEntry.AbortUpload e -> head(ABORT_UPLOAD, SMALL).id(e.upload()).finish();
      case SpoolEntry.Outcomes e -> outcomes(e);
      case SpoolEntry.Remove e -> order(REMOVE, e.id(), e.atMillis());
      case SpoolEntry.Hold e -> order(HOLD, e.id(), e.atMillis());
      case SpoolEntry.Release e -> head(RELEASE, SMALL).id(e.id()).i64(e.atMillis()).finish();
      case SpoolEntry.Retry e -> head(RETRY, SMALL).id(e.id()).i64(e.atMillis()).finish();
      case SpoolEntry.Batch e -> batch(e);
      case SpoolEntry.Close e -> head(CLOSE, SMALL).finish();
      case SpoolEntry.EventSegment e ->
          head(WITH_EVENTS, EVENT_SEGMENT, SMALL)
              .i32(e.number())
              .i32(e.dropBefore())
              .i64(e.atMillis())
              .finish();
    };
  }

  private static byte[] order(int type, QueueId id, long atMillis) {
    if (atMillis == 0) return head(type, SMALL).id(id).finish();
    return head(WITH_EVENTS, type, SMALL).id(id).i64(atMillis).finish();
  }

  static SpoolEntry read(ByteBuffer bytes) throws IOException {
    return read(bytes, false);
  }

  private static SpoolEntry read(ByteBuffer bytes, boolean part) throws IOException {
    ByteReader in = new ByteReader(bytes, "a spool entry");
    SpoolEntry entry = ByteReader.checked("a spool entry", () -> entry(in, part));
    in.end();
    return entry;
  }

  /** The most bytes that an entry takes, so that a batch within it fits into one log entry. */
  static int sizeBound(SpoolEntry entry) {
    return switch (entry) {
      case SpoolEntry.Accept e ->
          SMALL + e.messages().stream().mapToInt(SpoolEntryFormat::sizeBound).sum();
      case SpoolEntry.AcceptOnce e -> SMALL + KEY + sizeBound(e.message());
      case SpoolEntry.Chunk e -> CHUNK_HEADER + e.bytes().length();
      case SpoolEntry.Outcomes e ->
          SMALL + e.attempts().stream().mapToInt(SpoolEntryFormat::sizeBound).sum();
      case SpoolEntry.Batch e ->
          SMALL + e.parts().stream().mapToInt(SpoolEntryFormat::sizeBound).sum();
      case SpoolEntry.AbortUpload e -> SMALL;
      case SpoolEntry.Remove e -> SMALL;
      case SpoolEntry.Hold e -> SMALL;
      case SpoolEntry.Release e -> SMALL;
      case SpoolEntry.Retry e -> SMALL;
      case SpoolEntry.Close e -> SMALL;
      case SpoolEntry.EventSegment e -> SMALL;
    };
  }

  static int sizeBound(NewMessage m) {
    int content =
        m.content() instanceof ContentLocation.Inline inline ? inline.bytes().length() : 0;
    Arrival arrival = m.arrival();
    int arrived = arrival == null ? 0 : MailEventFormat.sizeBound(arrival);
    return SMALL + MessageFormat.sizeBound(m.message(), m.prefix()) + content + arrived;
  }

  private static int sizeBound(AttemptOutcomes a) {
    Dsn report = a.dsn();
    int reported = report == null ? 0 : sizeBound(report.message());
    int results = a.outcomes().stream().mapToInt(SpoolEntryFormat::sizeBound).sum();
    return SMALL + results + reported;
  }

  private static int sizeBound(RecipientOutcome r) {
    Outcome o = r.outcome();
    return RESULT_FIXED
        + ByteWriter.maxTextBytes(o.diagnostic())
        + ByteWriter.maxTextBytes(o.remote())
        + ByteWriter.maxTextBytes(r.tls());
  }

  private static ByteWriter head(int type, int expected) {
    return head(VERSION, type, expected);
  }

  private static ByteWriter head(int version, int type, int expected) {
    return new ByteWriter(expected).u8(version).u8(type);
  }

  private static SpoolEntry entry(ByteReader in, boolean part) throws IOException {
    int version = in.u8();
    boolean isKnown = MessageFormat.isKnownVersion(version) || version == WITH_EVENTS;
    if (!isKnown) throw unknown("a spool entry", "version", version);
    int type = in.u8();
    if (part && type == BATCH) throw new IOException("a batch of spool entries is nested");
    return switch (type) {
      case ACCEPT -> new SpoolEntry.Accept(newMessages(version, in));
      case ACCEPT_ONCE -> new SpoolEntry.AcceptOnce(key(in), newMessage(version, in));
      case CHUNK -> new SpoolEntry.Chunk(in.id(), in.i32(), in.i64(), in.block());
      case ABORT_UPLOAD -> new SpoolEntry.AbortUpload(in.id());
      case OUTCOMES -> new SpoolEntry.Outcomes(in.i64(), attempts(version, in));
      case REMOVE -> new SpoolEntry.Remove(in.id(), version == WITH_EVENTS ? in.i64() : 0);
      case HOLD -> new SpoolEntry.Hold(in.id(), version == WITH_EVENTS ? in.i64() : 0);
      case RELEASE -> new SpoolEntry.Release(in.id(), in.i64());
      case RETRY -> new SpoolEntry.Retry(in.id(), in.i64());
      case BATCH -> new SpoolEntry.Batch(parts(in));
      case CLOSE -> new SpoolEntry.Close();
      case EVENT_SEGMENT -> new SpoolEntry.EventSegment(in.i32(), in.i32(), in.i64());
      default -> throw unknown("a spool entry", "type", type);
    };
  }

  private static byte[] batch(SpoolEntry.Batch entry) {
    ByteWriter out = head(BATCH, sizeBound(entry)).i32(entry.parts().size());
    for (SpoolEntry part : entry.parts()) out.block(ByteSlice.of(write(part)));
    return out.finish();
  }

  private static List<SpoolEntry> parts(ByteReader in) throws IOException {
    int n = in.count();
    List<SpoolEntry> parts = new ArrayList<>(n);
    for (int i = 0; i < n; i++) {
      ByteSlice part = in.block();
      parts.add(read(ByteBuffer.wrap(part.array(), part.offset(), part.length()), true));
    }
    return parts;
  }

  private static byte[] accept(SpoolEntry.Accept entry) {
    int version = VERSION;
    for (NewMessage m : entry.messages()) {
      version = Math.max(version, version(m));
    }
    ByteWriter out = head(version, ACCEPT, sizeBound(entry)).i32(entry.messages().size());
    for (NewMessage m : entry.messages()) write(m, version, out);
    return out.finish();
  }

  private static byte[] acceptOnce(SpoolEntry.AcceptOnce entry) {
    int version = version(entry.message());
    RequestKey key = entry.key();
    ByteWriter out = head(version, ACCEPT_ONCE, sizeBound(entry));
    out.text(key.request()).i32(key.index()).text(key.body());
    write(entry.message(), version, out);
    return out.finish();
  }

  private static RequestKey key(ByteReader in) throws IOException {
    return new RequestKey(in.text(), in.i32(), in.text());
  }

  private static List<NewMessage> newMessages(int version, ByteReader in) throws IOException {
    int n = in.count();
    List<NewMessage> messages = new ArrayList<>(n);
    for (int i = 0; i < n; i++) messages.add(newMessage(version, in));
    return messages;
  }

  private static void write(NewMessage m, int version, ByteWriter out) {
    MessageFormat.write(m.message(), m.prefix(), messageVersion(version), out);
    switch (m.content()) {
      case ContentLocation.Inline inline -> out.u8(INLINE).block(inline.bytes());
      case ContentLocation.Uploaded uploaded -> out.u8(UPLOADED).i32(uploaded.chunks());
    }
    if (version < WITH_EVENTS) return;
    Arrival arrival = m.arrival();
    out.flag(arrival != null);
    if (arrival != null) MailEventFormat.write(arrival, out);
  }

  private static int messageVersion(int entryVersion) {
    return Math.min(entryVersion, MessageFormat.WITH_PREFIX);
  }

  private static int version(NewMessage m) {
    if (m.arrival() != null) return WITH_EVENTS;
    return MessageFormat.version(m.message(), m.prefix());
  }

  private static NewMessage newMessage(int version, ByteReader in) throws IOException {
    SpooledMessage message = MessageFormat.read(messageVersion(version), in);
    ByteSlice prefix = MessageFormat.prefix(version, in);
    int where = in.u8();
    ContentLocation body =
        switch (where) {
          case INLINE -> new ContentLocation.Inline(in.block());
          case UPLOADED -> new ContentLocation.Uploaded(in.i32());
          default -> throw unknown("a message", "place of its content", where);
        };
    boolean arrived = version >= WITH_EVENTS && in.flag();
    return new NewMessage(message, prefix, body, arrived ? MailEventFormat.arrival(in) : null);
  }

  private static byte[] outcomes(SpoolEntry.Outcomes entry) {
    int version = VERSION;
    for (AttemptOutcomes a : entry.attempts()) {
      if (a.atMillis() != 0) version = WITH_EVENTS;
      Dsn report = a.dsn();
      if (report == null) continue;
      version = Math.max(version, version(report.message()));
    }
    ByteWriter out = head(version, OUTCOMES, sizeBound(entry));
    out.i64(entry.term()).i32(entry.attempts().size());
    for (AttemptOutcomes a : entry.attempts()) {
      out.id(a.id());
      if (version >= WITH_EVENTS) out.i64(a.atMillis());
      out.i32(a.outcomes().size());
      for (RecipientOutcome r : a.outcomes()) {
        write(r, out);
        if (version >= WITH_EVENTS) out.text(r.tls());
      }
      Dsn report = a.dsn();
      out.flag(report != null);
      if (report != null) write(report.message(), version, out.flag(report.aboutDelay()));
    }
    return out.finish();
  }

  private static List<AttemptOutcomes> attempts(int version, ByteReader in) throws IOException {
    int n = in.count();
    List<AttemptOutcomes> attempts = new ArrayList<>(n);
    for (int i = 0; i < n; i++) {
      QueueId id = in.id();
      long at = version >= WITH_EVENTS ? in.i64() : 0;
      int count = in.count();
      List<RecipientOutcome> results = new ArrayList<>(count);
      for (int j = 0; j < count; j++) {
        int recipient = in.i32();
        Outcome outcome = outcome(in);
        String tls = version >= WITH_EVENTS ? in.text() : "";
        results.add(new RecipientOutcome(recipient, outcome, tls));
      }
      attempts.add(new AttemptOutcomes(id, results, report(version, in), at));
    }
    return attempts;
  }

  private static @Nullable Dsn report(int version, ByteReader in) throws IOException {
    if (!in.flag()) return null;
    boolean aboutDelay = in.flag();
    return new Dsn(newMessage(version, in), aboutDelay);
  }

  private static void write(RecipientOutcome result, ByteWriter out) {
    Outcome outcome = result.outcome();
    out.i32(result.recipientIndex());
    switch (outcome) {
      case Outcome.Delivered d -> out.u8(DELIVERED);
      case Outcome.Deferred d -> out.u8(DEFERRED).i64(d.until().toEpochMilli());
      case Outcome.Failed f -> out.u8(FAILED);
    }
    EnhancedStatus status = outcome.status();
    out.u8(status.statusClass()).u16(status.subject()).u16(status.detail());
    out.text(outcome.diagnostic()).text(outcome.remote());
  }

  private static Outcome outcome(ByteReader in) throws IOException {
    int type = in.u8();
    Instant until = type == DEFERRED ? Instant.ofEpochMilli(in.i64()) : Instant.EPOCH;
    EnhancedStatus status = new EnhancedStatus(in.u8(), in.u16(), in.u16());
    String diagnostic = in.text();
    String remote = in.text();
    return switch (type) {
      case DELIVERED -> new Outcome.Delivered(status, diagnostic, remote);
      case DEFERRED -> new Outcome.Deferred(until, status, diagnostic, remote);
      case FAILED -> new Outcome.Failed(status, diagnostic, remote);
      default -> throw unknown("an outcome", "type", type);
    };
  }
}
