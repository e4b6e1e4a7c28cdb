package org.quorumail.spool;

import static org.quorumail.spool.ByteReader.unknown;

import java.io.IOException;
import java.util.Optional;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.MailOptions.Returned;
import org.quorumail.mail.Notify;
import org.quorumail.mail.Recipient;

/** What the extensions of SMTP ask of a message and of a recipient, as bytes. */
final class OptionsFormat {
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

  private OptionsFormat() {}

  /** Whether nothing is asked but a kind of body that the first version knows. */
  static boolean isPlain(MailOptions options) {
    return options.body() != BodyType.BINARY_MIME && options.equals(MailOptions.of(options.body()));
  }

  static void write(MailOptions o, ByteWriter out) {
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

  static MailOptions options(BodyType body, ByteReader in) throws IOException {
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

  static void write(Recipient recipient, ByteWriter out) {
    Notify n = recipient.notifyOn();
    int bits = 0;
    if (n.specified()) bits |= SPECIFIED;
    if (n.success()) bits |= SUCCESS;
    if (n.failure()) bits |= FAILURE;
    if (n.delay()) bits |= DELAY;
    if (recipient.expanded()) bits |= EXPANDED;
    out.u8(bits).text(recipient.originalRecipient());
  }

  static Recipient recipient(MailAddress address, ByteReader in) throws IOException {
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
