package org.quorumail.mail;

import java.util.Optional;
import org.quorumail.mail.Envelope.BodyType;

/**
 * The demands of MAIL for a message, and facts about its content: all that decides how the message
 * may be sent on.
 *
 * @param utf8Header whether the header has UTF-8, so that only SMTPUTF8 can carry it (RFC 6531
 *     §3.2)
 * @param bareLineEnds whether a CR or LF stands alone in the content: it came as BINARYMIME and
 *     must not leave by DATA (RFC 5321 §2.3.8)
 * @param requireTls REQUIRETLS, RFC 8689
 * @param envelopeId ENVID's value as it came, xtext (RFC 3461 §4.4); empty when there was none
 * @param returned RET, RFC 3461 §4.3
 * @param priority MT-PRIORITY, RFC 6710: -9 to 9, higher first
 * @param holdUntilMillis FUTURERELEASE, RFC 4865: milliseconds of the epoch; 0 for at once
 */
public record MailOptions(
    BodyType body,
    boolean utf8Header,
    boolean bareLineEnds,
    boolean requireTls,
    String envelopeId,
    Returned returned,
    int priority,
    long holdUntilMillis,
    Optional<DeliverBy> deliverBy) {

  /** The part of a message that a failure report returns. */
  public enum Returned {
    /** No demand: the reporter chooses. */
    UNSPECIFIED,
    FULL,
    HEADERS
  }

  /** No demands but a kind of body. */
  public static MailOptions of(BodyType body) {
    return new MailOptions(
        body, false, false, false, "", Returned.UNSPECIFIED, 0, 0, Optional.empty());
  }

  /** The same demands, and REQUIRETLS. */
  public MailOptions withRequireTls() {
    return new MailOptions(
        body,
        utf8Header,
        bareLineEnds,
        true,
        envelopeId,
        returned,
        priority,
        holdUntilMillis,
        deliverBy);
  }

  /** The same demands with the facts about the content. */
  public MailOptions withContentFacts(BodyType body, boolean utf8Header, boolean bareLineEnds) {
    return new MailOptions(
        body,
        utf8Header,
        bareLineEnds,
        requireTls,
        envelopeId,
        returned,
        priority,
        holdUntilMillis,
        deliverBy);
  }
}
