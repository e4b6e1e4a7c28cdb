package org.quorumail.smtp.server;

import java.io.IOException;
import java.time.Duration;
import org.quorumail.policy.Tarpit;

/**
 * How long a session bears with a client that makes mistakes: each is answered later than the one
 * before, and after the configured number of them the client is sent away (RFC 5321 §4.3.2 allows
 * 421). Mail that is accepted makes up for all that was before. Only the session's thread uses it.
 */
final class ErrorLimit {
  private final ListenerContext shared;
  private final Wire wire;
  private final RemoteClient client;
  private final Tarpit tarpit;
  private int errors;
  private int acceptedAtReset;

  ErrorLimit(ListenerContext shared, Wire wire, RemoteClient client, Tarpit tarpit) {
    this.shared = shared;
    this.wire = wire;
    this.client = client;
    this.tarpit = tarpit;
  }

  /**
   * The answer itself, in due time, or a farewell in its place.
   *
   * @param accepted messages that the session has been answered 250 for
   * @param sender of the transaction under way, for the log
   */
  CommandResult apply(CommandResult answer, Verb verb, int accepted, String sender)
      throws IOException {
    if (accepted > acceptedAtReset) {
      acceptedAtReset = accepted;
      errors = 0;
    }
    int code = answer.reply().code();
    if (code < 400) return answer;
    shared.metrics().error(code);
    boolean tooMany = code >= 500 && ++errors > shared.config().limits().errors();
    if (tooMany) {
      SessionLog.rejected(client, verb.name(), answer.reply(), sender, " errors=" + errors);
    }
    delay();
    return tooMany ? CommandResult.closing(421, "4.7.0", "Too many errors") : answer;
  }

  /** The session has begun anew, and counts accepted mail from zero again. */
  void reset() {
    acceptedAtReset = 0;
  }

  /** What was answered before goes out first. */
  private void delay() throws IOException {
    Duration wait = tarpit.errorDelay(errors);
    if (wait.isZero()) return;
    wire.flush();
    Tarpit.sleep(wait);
  }
}
