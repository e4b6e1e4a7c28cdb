package org.quorumail.smtp.server;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.DeliverBy;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.MailOptions;
import org.quorumail.mail.MailOptions.Returned;
import org.quorumail.smtp.PathParser;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Xtext;

/**
 * The parser of MAIL's parameters. It knows only those of the offered extensions; each has a method
 * that returns the refusal of a bad value.
 */
final class MailParameters {
  private static final int MAX_SIZE_DIGITS = 20; // RFC 1870 §4
  private static final int MAX_ENVELOPE_ID = 100; // RFC 3461 §4.4
  private static final int MAX_BY_DIGITS = 9; // RFC 2852 §4
  private static final int MAX_HOLD_DIGITS = 9; // RFC 4865 §4

  /** RFC 3339 §5.6; Java also accepts years of more digits. */
  private static final Pattern YEAR = Pattern.compile("[0-9]{4}-");

  private final EhloExtensions offered;
  private final Instant now;
  private long size;
  private boolean smtpUtf8;
  private boolean requireTls;
  private BodyType body = BodyType.SEVEN_BIT;
  private String envelopeId = "";
  private Returned returned = Returned.UNSPECIFIED;
  private int priority;
  private boolean lowered;
  private @Nullable Instant holdUntil;
  private @Nullable DeliverBy deliverBy;
  private @Nullable MailAddress submitter;

  private MailParameters(EhloExtensions offered, Instant now) {
    this.offered = offered;
    this.now = now;
  }

  /** The result of parsing the parameters. */
  sealed interface Parsed {
    /**
     * @param size the announced size, RFC 1870 §5; 0 without one
     * @param submitter the user who submitted the message, from AUTH=, RFC 4954 §5; empty when it
     *     is absent or unknown
     */
    record Valid(
        long size,
        boolean smtpUtf8,
        boolean priorityLowered,
        Optional<MailAddress> submitter,
        MailOptions options)
        implements Parsed {}

    record Refused(Reply reply) implements Parsed {}
  }

  /** Parses the text after the path. */
  static Parsed parse(String rest, EhloExtensions offered, Instant now) {
    return switch (EsmtpParameter.split(rest)) {
      case EsmtpParameter.Split.Refused refused -> new Parsed.Refused(refused.reply());
      case EsmtpParameter.Split.Parameters parameters -> {
        MailParameters mail = new MailParameters(offered, now);
        for (EsmtpParameter parameter : parameters.all()) {
          Reply problem = mail.apply(parameter);
          if (problem != null) yield new Parsed.Refused(problem);
        }
        yield new Parsed.Valid(
            mail.size,
            mail.smtpUtf8,
            mail.lowered,
            Optional.ofNullable(mail.submitter),
            mail.options());
      }
    };
  }

  private MailOptions options() {
    return new MailOptions(
        body,
        false,
        false,
        requireTls,
        envelopeId,
        offered.returnsContent() ? returned : Returned.HEADERS,
        priority,
        holdUntil == null ? 0 : holdUntil.toEpochMilli(),
        Optional.ofNullable(deliverBy));
  }

  /** Returns the refusal of the parameter; null when it is accepted. */
  private @Nullable Reply apply(EsmtpParameter parameter) {
    String value = parameter.value();
    return switch (parameter.keyword()) {
      case "SIZE" -> size(value);
      case "BODY" -> body(parameter);
      case "SMTPUTF8" -> smtpUtf8(parameter);
      case "RET" -> ret(value);
      case "ENVID" -> envid(value);
      case "REQUIRETLS" ->
          offered.requireTls() ? requireTls(parameter) : parameter.unsupportedReply();
      case "AUTH" -> offered.authentication() ? submitter(value) : parameter.unsupportedReply();
      case "MT-PRIORITY" -> priority(value);
      case "BY" -> offered.deliverBy() ? by(value) : parameter.unsupportedReply();
      case "HOLDFOR" -> offered.futureRelease() ? holdFor(value) : parameter.unsupportedReply();
      case "HOLDUNTIL" -> offered.futureRelease() ? holdUntil(value) : parameter.unsupportedReply();
      default -> parameter.unsupportedReply();
    };
  }

  /** RFC 1870 §4. */
  private @Nullable Reply size(String value) {
    if (!isNumber(value, MAX_SIZE_DIGITS))
      return EsmtpParameter.malformedReply("SIZE wants a number");
    size = value.length() > 18 ? Long.MAX_VALUE : Long.parseLong(value);
    return null;
  }

  /** RFC 6152 §2, RFC 3030 §3. */
  private @Nullable Reply body(EsmtpParameter parameter) {
    switch (parameter.value().toUpperCase(Locale.ROOT)) {
      case "7BIT" -> body = BodyType.SEVEN_BIT;
      case "8BITMIME" -> body = BodyType.EIGHT_BIT_MIME;
      case "BINARYMIME" -> {
        if (!offered.binaryMime()) return parameter.unsupportedReply();
        body = BodyType.BINARY_MIME;
      }
      default -> {
        return EsmtpParameter.malformedReply("BODY is 7BIT, 8BITMIME or BINARYMIME");
      }
    }
    return null;
  }

  /** RFC 6531 §3.4. */
  private @Nullable Reply smtpUtf8(EsmtpParameter parameter) {
    if (parameter.hasValue()) return EsmtpParameter.malformedReply("SMTPUTF8 has no value");
    smtpUtf8 = true;
    return null;
  }

  /** RFC 3461 §4.3. */
  private @Nullable Reply ret(String value) {
    switch (value.toUpperCase(Locale.ROOT)) {
      case "FULL" -> returned = Returned.FULL;
      case "HDRS" -> returned = Returned.HEADERS;
      default -> {
        return EsmtpParameter.malformedReply("RET is FULL or HDRS");
      }
    }
    return null;
  }

  /** RFC 3461 §4.4. */
  private @Nullable Reply envid(String value) {
    boolean legal = value.length() <= MAX_ENVELOPE_ID && Xtext.decode(value).isPresent();
    if (!legal) return EsmtpParameter.malformedReply("ENVID wants at most 100 characters of xtext");
    envelopeId = value;
    return null;
  }

  /** RFC 8689 §4.1: only over TLS, where it is offered. */
  private @Nullable Reply requireTls(EsmtpParameter parameter) {
    if (parameter.hasValue()) return EsmtpParameter.malformedReply("REQUIRETLS has no value");
    requireTls = true;
    return null;
  }

  /** RFC 4954 §5: a mailbox in xtext, or {@code <>} for an unknown submitter. */
  private @Nullable Reply submitter(String value) {
    if (value.equals("<>")) return null;
    String path = Xtext.decode(value).map(mailbox -> "<" + mailbox + ">").orElse("");
    if (PathParser.parse(path) instanceof PathParser.Parsed.Mailbox box && box.rest().isEmpty()) {
      submitter = box.address();
      return null;
    }
    return EsmtpParameter.malformedReply("AUTH wants a mailbox in xtext, or <>");
  }

  /** RFC 6710 §4.1. A raised priority from an untrusted client is lowered to 0 (§5.1). */
  private @Nullable Reply priority(String value) {
    boolean negative = value.startsWith("-");
    String digit = negative ? value.substring(1) : value;
    if (!isNumber(digit, 1)) return EsmtpParameter.malformedReply("MT-PRIORITY is -9 to 9");
    int asked = negative ? -Integer.parseInt(digit) : Integer.parseInt(digit);
    priority = offered.raisedPriority() ? asked : Math.min(asked, 0);
    lowered = priority < asked;
    return null;
  }

  /** RFC 2852 §4: {@code by-time;by-mode}, such as {@code 120;R} or {@code -30;NT}. */
  private @Nullable Reply by(String value) {
    int sign = value.indexOf(';');
    String mode = sign < 0 ? "" : value.substring(sign + 1).toUpperCase(Locale.ROOT);
    String time = sign < 0 ? "" : value.substring(0, sign);
    boolean signed = time.startsWith("-") || time.startsWith("+");
    String digits = signed ? time.substring(1) : time;
    boolean known = mode.equals("R") || mode.equals("N") || mode.equals("RT") || mode.equals("NT");
    if (!known || !isNumber(digits, MAX_BY_DIGITS)) {
      return EsmtpParameter.malformedReply(
          "BY wants seconds;mode, and the mode is R or N, perhaps with T");
    }
    long seconds = Long.parseLong(digits) * (time.startsWith("-") ? -1 : 1);
    boolean returns = mode.startsWith("R");
    if (returns && seconds <= 0)
      return EsmtpParameter.malformedReply("BY with mode R wants a time to come");
    long until = now.plusSeconds(seconds).toEpochMilli();
    deliverBy = new DeliverBy(until, returns, mode.endsWith("T"));
    return null;
  }

  /** RFC 4865 §4. */
  private @Nullable Reply holdFor(String value) {
    if (!isNumber(value, MAX_HOLD_DIGITS))
      return EsmtpParameter.malformedReply("HOLDFOR wants seconds");
    return hold(now.plusSeconds(Long.parseLong(value)));
  }

  /** RFC 4865 §4: a time of RFC 3339. */
  private @Nullable Reply holdUntil(String value) {
    try {
      if (!YEAR.matcher(value).lookingAt()) return wantsTime();
      return hold(OffsetDateTime.parse(value.toUpperCase(Locale.ROOT)).toInstant());
    } catch (DateTimeParseException e) {
      return wantsTime();
    }
  }

  private static Reply wantsTime() {
    return EsmtpParameter.malformedReply("HOLDUNTIL wants a time such as 2026-11-21T10:00:00Z");
  }

  private @Nullable Reply hold(Instant until) {
    if (holdUntil != null) return EsmtpParameter.malformedReply("HOLDFOR or HOLDUNTIL, not both");
    Duration most = EhloExtensions.MAX_HOLD;
    if (until.isAfter(now.plus(most))) {
      return EsmtpParameter.malformedReply(
          "A message is held " + most.toSeconds() + " seconds at most");
    }
    holdUntil = until;
    return null;
  }

  private static boolean isNumber(String value, int maxDigits) {
    if (value.isEmpty() || value.length() > maxDigits) return false;
    for (int i = 0; i < value.length(); i++) {
      if (value.charAt(i) < '0' || value.charAt(i) > '9') return false;
    }
    return true;
  }
}
