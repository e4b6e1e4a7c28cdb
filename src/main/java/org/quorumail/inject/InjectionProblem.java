package org.quorumail.inject;

import org.quorumail.api.InjectionView.InjectionAnswer;

/** A fault of a request, with the field that has it. */
final class InjectionProblem extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;
  private final String field;
  private final int retryAfterSeconds;

  private InjectionProblem(int status, String field, String detail, int retryAfterSeconds) {
    super(detail, null, false, false);
    this.status = status;
    this.field = field;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** A field that is not what it must be: 422. */
  static InjectionProblem of(String field, String detail) {
    return new InjectionProblem(422, field, field + " " + detail, 0);
  }

  /** Another fault. */
  static InjectionProblem of(int status, String field, String detail) {
    return new InjectionProblem(status, field, detail, 0);
  }

  /** A lack of room, which passes. */
  static InjectionProblem busy(String detail) {
    return new InjectionProblem(429, "", detail, 2);
  }

  /** The same request is at work, or was done a moment ago. */
  static InjectionProblem conflict(String detail) {
    return new InjectionProblem(409, "Idempotency-Key", detail, 1);
  }

  /** Something that the request needs is not there now. */
  static InjectionProblem unavailable(String detail) {
    return new InjectionProblem(503, "", detail, Answers.RETRY_UNAVAILABLE);
  }

  InjectionAnswer answer() {
    String detail = String.valueOf(getMessage());
    return InjectionAnswer.refused(status, detail, field, retryAfterSeconds);
  }
}
