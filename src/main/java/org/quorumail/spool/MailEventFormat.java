package org.quorumail.spool;

import static org.quorumail.spool.ByteReader.unknown;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.QueueId;
import org.quorumail.spool.MailEvent.Accepted;
import org.quorumail.spool.MailEvent.Attempted;
import org.quorumail.spool.MailEvent.Detail;
import org.quorumail.spool.MailEvent.Order;
import org.quorumail.spool.MailEvent.Ordered;
import org.quorumail.spool.MailEvent.Result;

/**
 * The bytes of the events of one entry: one row, since a row of its own for each event would cost
 * more than the event.
 */
final class MailEventFormat {
  private static final int VERSION = 1;
  private static final int ACCEPTED = 1;
  private static final int ATTEMPTED = 2;
  private static final int ORDERED = 3;
  private static final int EXPECTED_BYTES = 160;
  private static final int ARRIVAL_FIXED = 7 * Integer.BYTES;

  private MailEventFormat() {}

  /** An event of an entry that is being applied. */
  record NewEvent(QueueId id, long atMillis, Detail detail) {}

  static byte[] write(List<NewEvent> events) {
    ByteWriter out = new ByteWriter(8 + events.size() * EXPECTED_BYTES);
    out.u8(VERSION).i32(events.size());
    for (NewEvent event : events) {
      out.u8(type(event.detail)).id(event.id).i64(event.atMillis);
      switch (event.detail) {
        case Accepted e -> write(e, out);
        case Attempted e -> write(e, out);
        case Ordered e -> out.u8(code(e.order())).text(e.sender());
      }
    }
    return out.finish();
  }

  static List<MailEvent> read(long entry, byte[] row) throws IOException {
    ByteReader in = new ByteReader(ByteBuffer.wrap(row), "a row of events");
    int version = in.u8();
    if (version != VERSION) throw unknown("a row of events", "version", version);
    int n = in.count();
    List<MailEvent> events = new ArrayList<>(n);
    for (int i = 0; i < n; i++) {
      int type = in.u8();
      QueueId id = in.id();
      long at = in.i64();
      events.add(new MailEvent(new MailEvent.Position(entry, i), id, at, detail(type, in)));
    }
    in.end();
    return events;
  }

  /** The most bytes of {@link #write(Arrival, ByteWriter)}. */
  static int sizeBound(Arrival a) {
    return ByteWriter.maxTextBytes(a.client())
        + ByteWriter.maxTextBytes(a.clientName())
        + ByteWriter.maxTextBytes(a.helo())
        + ByteWriter.maxTextBytes(a.protocol())
        + ByteWriter.maxTextBytes(a.tls())
        + ByteWriter.maxTextBytes(a.user())
        + ByteWriter.maxTextBytes(a.messageId())
        + ARRIVAL_FIXED;
  }

  static void write(Arrival a, ByteWriter out) {
    out.text(a.client()).text(a.clientName()).text(a.helo()).text(a.protocol());
    out.text(a.tls()).text(a.user()).text(a.messageId());
  }

  static Arrival arrival(ByteReader in) throws IOException {
    return new Arrival(in.text(), in.text(), in.text(), in.text(), in.text(), in.text(), in.text());
  }

  private static int type(Detail detail) {
    return switch (detail) {
      case Accepted e -> ACCEPTED;
      case Attempted e -> ATTEMPTED;
      case Ordered e -> ORDERED;
    };
  }

  private static void write(Accepted e, ByteWriter out) {
    write(e.arrival(), out);
    out.text(e.sender()).i64(e.size()).text(e.heldReason());
    out.flag(e.about() != null);
    if (e.about() != null) out.id(e.about());
    out.i32(e.recipients().size());
    for (String recipient : e.recipients()) out.text(recipient);
  }

  private static void write(Attempted e, ByteWriter out) {
    out.u8(code(e.result())).text(e.sender()).text(e.recipient()).i32(e.attempt());
    out.i64(e.untilMillis());
    EnhancedStatus status = e.status();
    out.u8(status.statusClass()).u16(status.subject()).u16(status.detail());
    out.text(e.reply()).text(e.remote()).text(e.tls());
  }

  private static Detail detail(int type, ByteReader in) throws IOException {
    return switch (type) {
      case ACCEPTED -> accepted(in);
      case ATTEMPTED ->
          new Attempted(
              result(in.u8()),
              in.text(),
              in.text(),
              in.i32(),
              in.i64(),
              new EnhancedStatus(in.u8(), in.u16(), in.u16()),
              in.text(),
              in.text(),
              in.text());
      case ORDERED -> new Ordered(order(in.u8()), in.text());
      default -> throw unknown("an event", "type", type);
    };
  }

  private static Accepted accepted(ByteReader in) throws IOException {
    Arrival arrival = arrival(in);
    String sender = in.text();
    long size = in.i64();
    String heldReason = in.text();
    QueueId about = in.flag() ? in.id() : null;
    int n = in.count();
    List<String> recipients = new ArrayList<>(n);
    for (int i = 0; i < n; i++) recipients.add(in.text());
    return new Accepted(arrival, sender, recipients, size, heldReason, about);
  }

  // Explicit codes: the order of an enum's constants must not be part of a format.

  private static int code(Result result) {
    return switch (result) {
      case DELIVERED -> 1;
      case DEFERRED -> 2;
      case BOUNCED -> 3;
      case EXPIRED -> 4;
    };
  }

  private static Result result(int code) throws IOException {
    return switch (code) {
      case 1 -> Result.DELIVERED;
      case 2 -> Result.DEFERRED;
      case 3 -> Result.BOUNCED;
      case 4 -> Result.EXPIRED;
      default -> throw unknown("an event", "result", code);
    };
  }

  private static int code(Order order) {
    return switch (order) {
      case HELD -> 1;
      case RELEASED -> 2;
      case RETRIED -> 3;
      case DELETED -> 4;
    };
  }

  private static Order order(int code) throws IOException {
    return switch (code) {
      case 1 -> Order.HELD;
      case 2 -> Order.RELEASED;
      case 3 -> Order.RETRIED;
      case 4 -> Order.DELETED;
      default -> throw unknown("an event", "order", code);
    };
  }
}
