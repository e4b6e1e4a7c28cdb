package org.quorumail.smtp.server;

import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Notify;
import org.quorumail.smtp.OriginalRecipient;
import org.quorumail.smtp.Reply;

/** The parser of RCPT's parameters: NOTIFY and ORCPT, RFC 3461 §4.1 and §4.2. */
final class RcptParameters {
  private Notify notify = Notify.UNSPECIFIED;
  private String originalRecipient = "";

  private RcptParameters() {}

  /** The result of parsing the parameters. */
  sealed interface Parsed {
    record Valid(Notify reports, String originalRecipient) implements Parsed {}

    record Refused(Reply reply) implements Parsed {}
  }

  /**
   * Parses the text after the path.
   *
   * @param smtpUtf8 whether MAIL had SMTPUTF8
   */
  static Parsed parse(String rest, boolean smtpUtf8) {
    return switch (EsmtpParameter.split(rest)) {
      case EsmtpParameter.Split.Refused refused -> new Parsed.Refused(refused.reply());
      case EsmtpParameter.Split.Parameters parameters -> {
        RcptParameters rcpt = new RcptParameters();
        for (EsmtpParameter parameter : parameters.all()) {
          Reply problem = rcpt.apply(parameter, smtpUtf8);
          if (problem != null) yield new Parsed.Refused(problem);
        }
        yield new Parsed.Valid(rcpt.notify, rcpt.originalRecipient);
      }
    };
  }

  /** Returns the refusal of the parameter; null when it is accepted. */
  private @Nullable Reply apply(EsmtpParameter parameter, boolean smtpUtf8) {
    return switch (parameter.keyword()) {
      case "NOTIFY" -> notify(parameter.value());
      case "ORCPT" -> originalRecipient(parameter.value(), smtpUtf8);
      default -> parameter.unsupportedReply();
    };
  }

  private @Nullable Reply notify(String value) {
    boolean ascii = value.chars().allMatch(c -> c < 0x80); // Java's upper case of ß is SS
    Set<String> events = new HashSet<>();
    for (String event : value.toUpperCase(Locale.ROOT).split(",", -1)) {
      boolean known = Set.of("NEVER", "SUCCESS", "FAILURE", "DELAY").contains(event);
      if (!ascii || !known || !events.add(event)) {
        return EsmtpParameter.malformedReply(
            "NOTIFY is NEVER, or a list of SUCCESS, FAILURE, DELAY");
      }
    }
    boolean never = events.contains("NEVER");
    if (never && events.size() > 1)
      return EsmtpParameter.malformedReply("NOTIFY=NEVER stands alone");
    notify =
        new Notify(
            true, events.contains("SUCCESS"), events.contains("FAILURE"), events.contains("DELAY"));
    return null;
  }

  private @Nullable Reply originalRecipient(String value, boolean smtpUtf8) {
    String legal = OriginalRecipient.parse(value, smtpUtf8).orElse("");
    if (legal.isEmpty()) return EsmtpParameter.malformedReply("ORCPT wants type;xtext");
    originalRecipient = legal;
    return null;
  }
}
