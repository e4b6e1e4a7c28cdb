package org.quorumail.policy.checks;

import org.quorumail.policy.PolicyConfig.Consequence;
import org.quorumail.policy.SessionView;
import org.quorumail.policy.Verdict;
import org.quorumail.smtp.Escape;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The failure of a check, turned into the verdict that the operator has configured for it. */
final class CheckFailure {
  private static final Logger LOG = LoggerFactory.getLogger(CheckFailure.class);

  private CheckFailure() {}

  static Verdict verdict(
      Consequence consequence, String check, String status, String text, SessionView session) {
    if (consequence == Consequence.NONE) return Verdict.ACCEPT;
    LOG.info(
        "event=check_failed check={} consequence={} client={} helo={}",
        check,
        consequence.name().toLowerCase(java.util.Locale.ROOT),
        session.client().getHostAddress(),
        Escape.quoted(session.helo().orElse("")));
    return switch (consequence) {
      case NONE, LOG -> Verdict.ACCEPT;
      case DEFER -> Verdict.defer(450, "4" + status.substring(1), text);
      case REJECT -> Verdict.reject(550, status, text);
    };
  }
}
