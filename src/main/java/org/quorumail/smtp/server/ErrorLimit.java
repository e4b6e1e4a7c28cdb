package org.quorumail.smtp.server;

import java.io.IOException;
import java.time.Duration;
import org.quorumail.policy.Tarpit;

/**
 * The limit on a client's errors in one session. Each error is answered later than the one before;
 * above the configured number the session ends with 421 (RFC 5321 §4.3.2 allows it). An accepted
 * message sets the count back to zero. Only the session's thread uses it.
 */
final class ErrorLimit {
  private final SessionContext session;
  private int errors;
  private int acceptedAtReset;

  ErrorLimit(SessionContext session) {
    this.session = session;
  }

  /**
   * Returns the result itself, after the tarpit's delay, or the end of the session in its place.
   *
   * @param accepted messages of this session that were answered 250
   */
  CommandResult apply(CommandResult result, Verb verb, int accepted) throws IOException {
    if (accepted > acceptedAtReset) {
      acceptedAtReset = accepted;
      errors = 0;
    }
    int code = result.reply().code();
    if (code < 400) return result;
    session.metrics().error(code);
    boolean tooMany = code >= 500 && ++errors > session.config().limits().errors();
    if (tooMany) session.logRejected(verb.name(), result.reply(), " errors=" + errors);
    delay();
    return tooMany ? CommandResult.closing(421, "4.7.0", "Too many errors") : result;
  }

  /** Counts accepted messages from zero again: the session has another client (XCLIENT). */
  void reset() {
    acceptedAtReset = 0;
  }

  /** Earlier replies are sent before the wait. */
  private void delay() throws IOException {
    Duration wait = session.tarpit().errorDelay(errors);
    if (wait.isZero()) return;
    session.channel().flush();
    Tarpit.sleep(wait);
  }
}
