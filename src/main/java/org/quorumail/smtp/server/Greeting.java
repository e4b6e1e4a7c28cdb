package org.quorumail.smtp.server;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.quorumail.policy.Tarpit;
import org.quorumail.smtp.ReceivedLine;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;
import org.quorumail.smtp.SmtpChannel;

/**
 * The greeting of a session, RFC 5321 §3.1: 220, or the reply that turns the client away. Only the
 * session's thread uses it.
 */
final class Greeting {
  private static final Duration REJECTED_TIMEOUT = Duration.ofSeconds(10);
  private static final int MAX_REJECTED_COMMANDS = 20;

  private final SessionContext session;
  private final SmtpChannel channel;

  Greeting(SessionContext session) {
    this.session = session;
    this.channel = session.channel();
  }

  /** Greets the client, or turns it away; false when the session is over. */
  boolean send() throws IOException {
    Optional<Reply> unavailable = session.availability().refusalAtConnect();
    if (unavailable.isPresent()) {
      session.metrics().connectionRejected();
      channel.writer().reply(unavailable.get());
      return false;
    }
    if (isPregreetTraffic()) {
      rejectSession(Reply.of(554, "5.5.1", "You talk before you are greeted"));
      return false;
    }
    Optional<Reply> refusal = session.filters().connect();
    if (refusal.isPresent()) {
      session.metrics().connectionRejected();
      rejectSession(refusal.get());
      return false;
    }
    channel.writer().reply(reply());
    return true;
  }

  /** The positive greeting; sent again after XCLIENT. */
  Reply reply() {
    String protocol = session.service() == Service.LMTP ? " LMTP" : " ESMTP";
    return Reply.plain(220, session.hostname() + protocol + " Quorumail");
  }

  /** The same text with a code that a greeting may have: 421 or 554 (§4.3.2). */
  static Reply asGreeting(Reply reply) {
    boolean later = reply.transientFailure();
    return new Reply(later ? 421 : 554, reply.status(), reply.lines());
  }

  /** Whether the client sends before it is greeted (§4.3.1), as many senders of spam do. */
  private boolean isPregreetTraffic() throws IOException {
    Duration wait = session.tarpit().greetingDelay();
    boolean implicitTls = session.config().tls() == TlsMode.IMPLICIT;
    if (wait.isZero() || implicitTls || session.trusted()) return false;
    return Tarpit.sleep(wait) && channel.hasUnreadInput();
  }

  /** §3.1: after a 554 for a greeting, QUIT is answered, and every other command gets 503. */
  private void rejectSession(Reply reply) throws IOException {
    session.logRejected("CONNECT", reply, "");
    Reply greeting = reply.code() == 421 || reply.code() == 554 ? reply : asGreeting(reply);
    channel.writer().reply(greeting);
    if (greeting.code() == 421) return;
    int longest = session.config().limits().line();
    for (int i = 0; i < MAX_REJECTED_COMMANDS; i++) {
      channel.deadline(REJECTED_TIMEOUT);
      if (!(channel.reader().readLine(longest) instanceof ReceivedLine.Text line)) return;
      if (Verb.of(line.text()) == Verb.QUIT) {
        channel.writer().reply(Reply.of(221, "2.0.0", "Bye"));
        return;
      }
      channel.writer().reply(Reply.of(503, "5.5.1", "You are not welcome here"));
    }
  }
}
