package org.quorumail.smtp.server;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.Tarpit;
import org.quorumail.smtp.ReceivedLine;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;

/**
 * The first words of a session, RFC 5321 §3.1: 220 for who may go on, and what the others hear.
 * Only the session's thread uses it.
 */
final class Greeting {
  private static final Duration REJECTED_TIMEOUT = Duration.ofSeconds(10);
  private static final int MAX_REJECTED_COMMANDS = 20;

  private final ListenerContext shared;
  private final ListenerConfig config;
  private final Wire wire;
  private final RemoteClient client;

  Greeting(ListenerContext shared, Wire wire, RemoteClient client) {
    this.shared = shared;
    this.config = shared.config();
    this.wire = wire;
    this.client = client;
  }

  /** Whether the client has been greeted; if not, all that is to be said to it has been. */
  boolean send(FilterSession screening, Tarpit tarpit, SessionContext facts) throws IOException {
    Optional<Reply> refusal = shared.availability().refusalAtConnect();
    if (refusal.isPresent()) {
      shared.metrics().connectionRejected();
      wire.writer().reply(refusal.get());
      return false;
    }
    if (isPregreetTraffic(tarpit, facts)) {
      rejectSession(Reply.of(554, "5.5.1", "You talk before you are greeted"));
      return false;
    }
    Optional<Reply> unwelcome = screening.connect();
    if (unwelcome.isPresent()) {
      shared.metrics().connectionRejected();
      rejectSession(unwelcome.get());
      return false;
    }
    wire.writer().reply(reply());
    return true;
  }

  /** Said at the beginning, and again when the session begins anew. */
  Reply reply() {
    String protocol = config.service() == Service.LMTP ? " LMTP" : " ESMTP";
    return Reply.plain(220, shared.context().hostname() + protocol + " Quorumail");
  }

  /** Only 220, 421 and 554 are greetings, §4.3.2; the words stay. */
  static Reply asGreeting(Reply reply) {
    boolean later = reply.transientFailure();
    return new Reply(later ? 421 : 554, reply.status(), reply.lines());
  }

  /** Real mail servers wait for the greeting, §4.3.1; much that sends spam does not. */
  private boolean isPregreetTraffic(Tarpit tarpit, SessionContext facts) throws IOException {
    Duration wait = tarpit.greetingDelay();
    if (wait.isZero() || config.tls() == TlsMode.IMPLICIT || facts.trusted()) return false;
    return Tarpit.sleep(wait) && wire.unreadInput();
  }

  /** §3.1: a client that got 554 for a greeting may still say QUIT, and hears 503 until then. */
  private void rejectSession(Reply reply) throws IOException {
    SessionLog.rejected(client, "CONNECT", reply, "", "");
    Reply greeting = reply.code() == 421 || reply.code() == 554 ? reply : asGreeting(reply);
    wire.writer().reply(greeting);
    if (greeting.code() == 421) return;
    for (int i = 0; i < MAX_REJECTED_COMMANDS; i++) {
      wire.connection.deadline(REJECTED_TIMEOUT);
      if (!(wire.reader().readLine(config.limits().line()) instanceof ReceivedLine.Text line))
        return;
      if (Verb.of(line.text()) == Verb.QUIT) {
        wire.writer().reply(Reply.of(221, "2.0.0", "Bye"));
        return;
      }
      wire.writer().reply(Reply.of(503, "5.5.1", "You are not welcome here"));
    }
  }
}
