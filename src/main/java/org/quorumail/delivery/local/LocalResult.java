package org.quorumail.delivery.local;

import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Outcome.SuccessReport;

/** The result of a delivery on this machine. */
public sealed interface LocalResult {
  record Decided(Outcome outcome) implements LocalResult {}

  /** The lease was not held. Nothing was delivered. */
  record Denied() implements LocalResult {}

  /** This node cannot read the content. Nothing was delivered. */
  record Unreadable(String reason) implements LocalResult {}

  static LocalResult delivered(String diagnostic, String target) {
    EnhancedStatus ok = new EnhancedStatus(2, 0, 0);
    return new Decided(new Outcome.Delivered(ok, diagnostic, target, SuccessReport.DELIVERED));
  }

  static LocalResult failed(int subject, int detail, String diagnostic, String target) {
    EnhancedStatus status = new EnhancedStatus(5, subject, detail);
    return new Decided(new Outcome.Failed(status, diagnostic, target));
  }

  static LocalResult deferred(int subject, int detail, String diagnostic, String target) {
    EnhancedStatus status = new EnhancedStatus(4, subject, detail);
    return new Decided(new Outcome.Deferred(status, diagnostic, target));
  }
}
