package org.quorumail.classification;

import java.time.Duration;
import org.quorumail.config.RateLimit;
import org.quorumail.config.Units;

/** The action that follows a failure of a class, beside what the reply itself demands. */
public sealed interface FailureAction {
  /** The reply alone decides: 4xx is tried again, 5xx fails. */
  record Keep() implements FailureAction {
    @Override
    public String toString() {
      return "none";
    }
  }

  /** The recipient fails at once and is reported. */
  record Fail() implements FailureAction {
    @Override
    public String toString() {
      return "fail";
    }
  }

  /** The recipient is tried again after this time, also when the reply was permanent. */
  record Defer(Duration delay) implements FailureAction {
    @Override
    public String toString() {
      return "defer for " + Units.format(delay);
    }
  }

  /** The destination gets one session and this rate for a time, from this node. */
  record SlowDown(Duration time, RateLimit rate) implements FailureAction {
    @Override
    public String toString() {
      return "slow-down for " + Units.format(time);
    }
  }

  /** The domain of the recipient gets no mail for a time, from no node. */
  record Suspend(Duration time) implements FailureAction {
    @Override
    public String toString() {
      return "suspend for " + Units.format(time);
    }
  }
}
