package org.quorumail.inject;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.api.InjectionView.InjectionAnswer;
import org.quorumail.mail.MailAddress;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.server.InjectionResult;

/** The answers of HTTP to the results of messages. */
final class Answers {
  /** Seconds; an election takes one or two. */
  static final int RETRY_UNAVAILABLE = 5;

  /** Seconds; an operator makes room, or deliveries do. */
  private static final int RETRY_FULL = 60;

  private static final int RETRY_BUSY = 2;

  /** Seconds after a refusal by a rate or a check of a filter. */
  private static final int RETRY_FILTER = 60;

  private Answers() {}

  /** The answer about one message. */
  static InjectionAnswer of(
      InjectionResult result, List<MailAddress> recipients, List<String> fields) {
    return switch (result) {
      case InjectionResult.Accepted accepted ->
          InjectionAnswer.accepted(Map.of("messages", List.of(accepted(accepted, recipients))));
      case InjectionResult.Refused refused -> refused(refused, fields);
    };
  }

  static Map<String, Object> accepted(
      InjectionResult.Accepted accepted, List<MailAddress> recipients) {
    Map<String, Object> message = new LinkedHashMap<>();
    message.put("id", accepted.id().toString());
    message.put("recipients", recipients.stream().map(MailAddress::toString).toList());
    return message;
  }

  /**
   * @param fields the fields of the request that have the recipients
   */
  static InjectionAnswer refused(InjectionResult.Refused refused, List<String> fields) {
    Reply reply = refused.reply();
    String words = reply.toString();
    boolean passes = reply.transientFailure();
    return switch (refused.cause()) {
      case UNAVAILABLE -> InjectionAnswer.refused(503, words, "", RETRY_UNAVAILABLE);
      case ACCEPTED_BEFORE -> InjectionAnswer.refused(409, words, "Idempotency-Key", 1);
      case DISK_FULL -> InjectionAnswer.refused(507, words, "", RETRY_FULL);
      case BUSY -> InjectionAnswer.refused(429, words, "", RETRY_BUSY);
      case TOO_LARGE -> InjectionAnswer.refused(413, words, "");
      case SENDER ->
          passes
              ? InjectionAnswer.refused(429, words, "from", RETRY_FILTER)
              : InjectionAnswer.refused(403, words, "from");
      case RECIPIENT -> {
        String field = refused.recipient() < fields.size() ? fields.get(refused.recipient()) : "to";
        yield passes
            ? InjectionAnswer.refused(429, words, field, RETRY_FILTER)
            : InjectionAnswer.refused(422, words, field);
      }
      case CONTENT ->
          passes
              ? InjectionAnswer.refused(503, words, "", RETRY_FILTER)
              : InjectionAnswer.refused(422, words, "content");
    };
  }
}
