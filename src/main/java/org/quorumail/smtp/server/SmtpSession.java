package org.quorumail.smtp.server;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.quorumail.config.Config.ListenerConfig;
import org.quorumail.config.Config.ListenerTls;
import org.quorumail.config.Config.Service;
import org.quorumail.policy.Rules;
import org.quorumail.policy.Screening;
import org.quorumail.smtp.Connection;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Line;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.server.Xclient.Attribute;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.tls.ServerTls;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session, RFC 5321 §3.1 to §3.8: greets ({@link Welcome}), reads a command, answers it, until
 * one of the two goes. What belongs to a mail transaction is in {@link MailCommands}; how long it
 * puts up with mistakes, in {@link Forbearance}. All of its state belongs to the virtual thread
 * that runs it; only {@link #idle} is read by another.
 */
final class SmtpSession {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final Duration HANDSHAKE = Duration.ofSeconds(20);

  private final Shared shared;
  private final ListenerConfig config;
  private final Connection connection;
  private final Occupancy.Seat seat;
  private final Wire wire;
  private final Client client;
  private final AuthCommand auth;
  private final Extensions extensions;
  private MailCommands mail;
  private final Rules rules;
  private final SessionFacts facts;
  private final Welcome welcome;
  private final Forbearance forbearance;
  private Screening screening;
  private volatile boolean idle = true;

  SmtpSession(Connection connection, Shared shared, Occupancy.Seat seat) {
    this.shared = shared;
    this.config = shared.config();
    this.connection = connection;
    this.seat = seat;
    this.wire = new Wire(connection);
    this.client = new Client(connection.remoteAddress());
    this.auth = new AuthCommand(shared, wire, client);
    this.extensions = new Extensions(shared, wire, client, auth);
    this.rules = shared.context().rules().get();
    this.facts = new SessionFacts(shared, wire, client);
    this.welcome = new Welcome(shared, wire, client);
    this.forbearance = new Forbearance(shared, wire, client, rules.tarpit());
    this.screening = rules.chain().open(facts);
    this.mail = new MailCommands(shared, wire, client, extensions, facts, screening);
  }

  /** Whether no transaction is under way, so that the session may be ended without loss. */
  boolean idle() {
    return idle;
  }

  /** The whole conversation. Returns when it is over; the caller closes the connection. */
  void run() {
    try {
      connection.deadline(HANDSHAKE);
      if (config.tls() == ListenerTls.IMPLICIT && !secure()) return;
      connection.deadline(config.timeouts().command());
      if (welcome.given(screening, rules.tarpit(), facts)) converse();
      wire.flush();
    } catch (SocketTimeoutException e) {
      LOG.debug("event=timeout client={}", client.host());
      sayGoodbye(Reply.of(421, "4.4.2", "Timeout, closing connection"));
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", client.host(), e);
    } finally {
      mail.forget();
      screening.close();
    }
  }

  private void converse() throws IOException {
    while (true) {
      connection.deadline(config.timeouts().command());
      Line line = wire.reader().readLine(auth.longestLine(config.limits().line()));
      if (line instanceof Line.End) {
        if (shared.availability().draining())
          wire.writer().reply(Availability.refusal(Readiness.DRAINING));
        return;
      }
      long start = System.nanoTime();
      Verb verb = verb(line);
      Answer plain = answer(verb, line);
      idle = !mail.underWay();
      Answer answer = forbearance.bear(plain, verb, mail.accepted(), mail.sender());
      wire.writer().reply(answer.reply());
      shared.metrics().command(verb, System.nanoTime() - start);
      switch (answer.next()) {
        case GO_ON -> {}
        case CLOSE -> {
          return;
        }
        case START_TLS -> {
          if (!secure()) return;
        }
      }
    }
  }

  private static Verb verb(Line line) {
    return switch (line) {
      case Line.Text text -> Verb.of(text.text());
      case Line.TooLong tooLong -> Verb.of(tooLong.start());
      default -> Verb.UNKNOWN;
    };
  }

  private Answer answer(Verb verb, Line line) throws IOException {
    return switch (line) {
      case Line.Text text ->
          tooLong(verb, text.text()) ? lineTooLong(verb) : carryOut(verb, text.text());
      case Line.TooLong tooLong -> lineTooLong(verb);
      case Line.BareLineFeed bare ->
          Answer.close(500, "5.5.2", "A line ends with CR LF (RFC 5321 2.3.8)");
      case Line.End end -> throw new IllegalStateException("the end is not a command");
    };
  }

  private Answer carryOut(Verb verb, String line) throws IOException {
    String argument = Verb.argument(line);
    return switch (verb) {
      case EHLO, HELO, LHLO -> hello(verb, argument);
      case MAIL -> mail.mail(argument);
      case RCPT -> mail.rcpt(argument);
      case DATA -> mail.data(argument);
      case BDAT -> mail.bdat(argument);
      case RSET -> mail.rset(argument);
      case NOOP -> Answer.say(250, "2.0.0", "Ok");
      case VRFY -> vrfy(argument);
      case HELP ->
          Answer.say(214, "2.0.0", "See RFC 5321; postmaster@" + shared.context().hostname());
      case QUIT -> quit(argument);
      case STARTTLS -> startTls(argument);
      case AUTH -> auth.auth(argument, mail.underWay());
      case ETRN -> etrn(argument);
      case XCLIENT -> xclient(argument);
      case EXPN, TURN -> Answer.say(502, "5.5.1", "Command not implemented");
      case HTTP -> Answer.close(421, "4.7.0", "This is SMTP, not HTTP");
      case UNKNOWN -> unknown(line);
    };
  }

  /** EHLO and HELO, §4.1.1.1; LHLO, RFC 2033 §4.1. All begin anew, as RSET does. */
  private Answer hello(Verb verb, String name) {
    boolean lmtp = config.service() == Service.LMTP;
    if (lmtp != (verb == Verb.LHLO)) {
      return Answer.say(500, "5.5.1", lmtp ? "This is LMTP, say LHLO" : "This is SMTP, say EHLO");
    }
    if (!SessionNames.isName(name)) {
      return Answer.say(501, "5.5.4", verb + " wants a domain name or an address literal");
    }
    mail.forget();
    client.greeted(name, verb != Verb.HELO);
    Optional<Reply> refusal = screening.ehlo();
    if (refusal.isPresent()) {
      client.forgetGreeting();
      SessionLog.rejected(client, verb.name(), refusal.get(), "", "");
      return Answer.refuse(refusal.get());
    }
    List<String> lines = new ArrayList<>(List.of(shared.context().hostname()));
    if (client.extended()) lines.addAll(extensions.offered());
    return Answer.say(Reply.plain(250, lines.toArray(String[]::new)));
  }

  /** VRFY, §4.1.1.6; tells nobody who exists (§7.3). */
  private static Answer vrfy(String argument) {
    if (argument.isEmpty()) return Answer.say(501, "5.5.4", "Syntax: VRFY address");
    return Answer.say(252, "2.5.0", "Cannot verify, but will take a message and try");
  }

  /** QUIT, §4.1.1.10. */
  private static Answer quit(String argument) {
    if (!argument.isEmpty()) return Answer.say(501, "5.5.4", "QUIT has no argument");
    return Answer.close(221, "2.0.0", "Bye");
  }

  /** STARTTLS, RFC 3207 §4. Anything sent after it in plain text may be an attacker's. */
  private Answer startTls(String argument) throws IOException {
    if (!argument.isEmpty()) return Answer.say(501, "5.5.4", "STARTTLS has no argument");
    if (connection.secured()) return Answer.say(503, "5.5.1", "TLS is active already");
    if (!extensions.startTls()) return Answer.say(502, "5.5.1", "STARTTLS is not offered");
    if (wire.unreadInput()) {
      return Answer.close(554, "5.5.1", "Nothing may be pipelined after STARTTLS");
    }
    Reply ready = Reply.of(220, "2.0.0", "Ready to start TLS");
    return new Answer(ready, Answer.Next.START_TLS);
  }

  /** ETRN, RFC 1985 §5. Whoever is not trusted learns nothing about what waits. */
  private Answer etrn(String node) {
    if (client.name() == null) return Answer.say(503, "5.5.1", "Say EHLO first");
    if (mail.underWay()) return Answer.say(503, "5.5.1", "A transaction is under way");
    if (!SessionNames.isDomain(node)) return Answer.say(501, "5.5.4", "Syntax: ETRN domain");
    if (!extensions.etrn()) {
      return Answer.say(459, "4.7.1", "Node " + node + " not allowed: you are not trusted");
    }
    String ok = "Ok, pending messages for node " + node + " started";
    return switch (shared.context().queueRun().apply(node.toLowerCase(Locale.ROOT))) {
      case QueueRun.NothingWaiting none ->
          Answer.say(251, "2.0.0", "Ok, no messages waiting for node " + node);
      case QueueRun.Started started ->
          started.more()
              ? Answer.say(252, "2.0.0", ok)
              : Answer.say(253, "2.0.0", ok.replace("pending", started.messages() + " pending"));
      case QueueRun.Unable unable ->
          Answer.say(458, "4.3.0", "Unable to queue messages for node " + node + " now");
    };
  }

  /** XCLIENT, after Postfix: a trusted host says who its client is, and the session begins anew. */
  private Answer xclient(String argument) {
    if (!extensions.xclient()) return Answer.say(550, "5.7.0", "You may not use XCLIENT");
    if (mail.underWay()) return Answer.say(503, "5.5.1", "A transaction is under way");
    return switch (Xclient.parse(argument)) {
      case Xclient.Malformed bad -> Answer.say(501, "5.5.4", bad.problem());
      case Xclient.Valid valid -> {
        LOG.info("event=xclient client={} attributes={}", client.host(), valid.values());
        client.presentedAs(valid, valid.known(Attribute.LOGIN).flatMap(auth::vouchedFor));
        Optional<Reply> refusal = seat.take(client.address());
        if (refusal.isEmpty()) refusal = screenAnew();
        yield refusal.isPresent() ? Answer.close(refusal.get()) : Answer.say(welcome.greeting());
      }
    };
  }

  /** Has the filters judge the client that is meant from now on, as they judge who connects. */
  private Optional<Reply> screenAnew() {
    screening.close();
    screening = rules.chain().open(facts);
    mail = new MailCommands(shared, wire, client, extensions, facts, screening);
    forbearance.beginAnew();
    return screening.connect().map(Welcome::asGreeting);
  }

  private Answer unknown(String line) {
    if (line.contains(" HTTP/")) return Answer.close(421, "4.7.0", "This is SMTP, not HTTP");
    LOG.debug("event=unknown_command client={} line={}", client.host(), Escape.quoted(line));
    return Answer.say(500, "5.5.1", "Command not recognized");
  }

  /** Shakes hands; afterwards nothing that was said before counts (RFC 3207 §4.2). */
  private boolean secure() throws IOException {
    wire.flush();
    Optional<ServerTls> tls = shared.context().tls().get();
    if (tls.isEmpty()) return false;
    connection.deadline(HANDSHAKE);
    try {
      wire.startTls(tls.get());
    } catch (SSLException e) {
      LOG.info(
          "event=tls_failed client={} reason={}",
          client.host(),
          Escape.quoted(String.valueOf(e.getMessage())));
      return false;
    }
    client.forgetGreeting();
    client.proved(connection.clientCertificate());
    mail.forget();
    LOG.debug("event=tls client={} {}", client.host(), connection.tlsDescription());
    return true;
  }

  private void sayGoodbye(Reply reply) {
    try {
      connection.deadline(Duration.ofSeconds(1)); // a courtesy, not worth a wait
      wire.writer().reply(reply);
      wire.flush();
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", client.host(), e);
    }
  }

  private boolean tooLong(Verb verb, String line) {
    int limit = verb.hasParameters() ? config.limits().line() : Verb.MAX_LINE;
    return line.length() + 2 > (verb == Verb.AUTH ? AuthCommand.MAX_LINE : limit);
  }

  /** Of an authentication it has a code of its own, RFC 4954 §4. */
  private static Answer lineTooLong(Verb verb) {
    if (verb == Verb.AUTH) return AuthCommand.lineTooLong();
    return Answer.say(500, "5.5.2", "Line too long");
  }
}
