package org.quorumail.api;

/** The refusal of a change that the cluster cannot make now. The message is one sentence. */
public final class ChangeRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean unavailable;

  private ChangeRefusedException(String reason, boolean unavailable) {
    super(reason);
    this.unavailable = unavailable;
  }

  /** The change does not fit what is there. */
  public static ChangeRefusedException conflict(String reason) {
    return new ChangeRefusedException(reason, false);
  }

  /** The nodes that decide do not answer. */
  public static ChangeRefusedException noQuorum(String reason) {
    return new ChangeRefusedException(reason, true);
  }

  ApiResponse response() {
    String detail = String.valueOf(getMessage());
    return unavailable
        ? ApiResponse.problem(503, "Service Unavailable", detail)
        : ApiResponse.problem(409, "Conflict", detail);
  }
}
