package org.quorumail.smtp.server;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.quorumail.policy.FilterSession;
import org.quorumail.policy.SessionPolicy;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.ReceivedLine;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.smtp.server.XclientArgument.Attribute;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.tls.ServerTls;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session, RFC 5321 §3.1 to §3.8: greets ({@link Greeting}), reads a command, answers it, until
 * one of the two goes. What belongs to a mail transaction is in {@link MailCommands}; how long it
 * puts up with mistakes, in {@link ErrorLimit}. All of its state belongs to the virtual thread that
 * runs it; only {@link #isIdle} is read by another.
 */
final class SmtpSession {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final Duration HANDSHAKE = Duration.ofSeconds(20);

  private final ListenerContext shared;
  private final ListenerConfig config;
  private final SmtpChannel connection;
  private final ConnectionLimiter.Permit seat;
  private final Wire wire;
  private final RemoteClient client;
  private final AuthCommand auth;
  private final EhloExtensions extensions;
  private MailCommands mail;
  private final SessionPolicy rules;
  private final SessionContext facts;
  private final Greeting welcome;
  private final ErrorLimit forbearance;
  private FilterSession screening;
  private volatile boolean isIdle = true;

  SmtpSession(SmtpChannel connection, ListenerContext shared, ConnectionLimiter.Permit seat) {
    this.shared = shared;
    this.config = shared.config();
    this.connection = connection;
    this.seat = seat;
    this.wire = new Wire(connection);
    this.client = new RemoteClient(connection.remoteAddress());
    this.auth = new AuthCommand(shared, wire, client);
    this.extensions = new EhloExtensions(shared, wire, client, auth);
    this.rules = shared.context().rules().get();
    this.facts = new SessionContext(shared, wire, client);
    this.welcome = new Greeting(shared, wire, client);
    this.forbearance = new ErrorLimit(shared, wire, client, rules.tarpit());
    this.screening = rules.chain().open(facts);
    this.mail = new MailCommands(shared, wire, client, extensions, facts, screening);
  }

  /** Whether no transaction is under way, so that the session may be ended without loss. */
  boolean isIdle() {
    return isIdle;
  }

  /** The whole conversation. Returns when it is over; the caller closes the connection. */
  void run() {
    try {
      connection.deadline(HANDSHAKE);
      if (config.tls() == TlsMode.IMPLICIT && !startTlsHandshake()) return;
      connection.deadline(config.timeouts().command());
      if (welcome.send(screening, rules.tarpit(), facts)) processCommands();
      wire.flush();
    } catch (SocketTimeoutException e) {
      LOG.debug("event=timeout client={}", client.host());
      sendFinalReply(Reply.of(421, "4.4.2", "Timeout, closing connection"));
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", client.host(), e);
    } finally {
      mail.resetTransaction();
      screening.close();
    }
  }

  private void processCommands() throws IOException {
    while (true) {
      connection.deadline(config.timeouts().command());
      ReceivedLine line = wire.reader().readLine(auth.longestLine(config.limits().line()));
      if (line instanceof ReceivedLine.End) {
        if (shared.availability().draining())
          wire.writer().reply(Availability.refusal(Readiness.DRAINING));
        return;
      }
      long start = System.nanoTime();
      Verb verb = verb(line);
      CommandResult plain = answer(verb, line);
      isIdle = !mail.inTransaction();
      CommandResult answer = forbearance.apply(plain, verb, mail.accepted(), mail.sender());
      wire.writer().reply(answer.reply());
      shared.metrics().command(verb, System.nanoTime() - start);
      switch (answer.next()) {
        case CONTINUE -> {}
        case CLOSE -> {
          return;
        }
        case START_TLS -> {
          if (!startTlsHandshake()) return;
        }
      }
    }
  }

  private static Verb verb(ReceivedLine line) {
    return switch (line) {
      case ReceivedLine.Text text -> Verb.of(text.text());
      case ReceivedLine.TooLong tooLong -> Verb.of(tooLong.start());
      default -> Verb.UNKNOWN;
    };
  }

  private CommandResult answer(Verb verb, ReceivedLine line) throws IOException {
    return switch (line) {
      case ReceivedLine.Text text ->
          tooLong(verb, text.text()) ? lineTooLong(verb) : execute(verb, text.text());
      case ReceivedLine.TooLong tooLong -> lineTooLong(verb);
      case ReceivedLine.BareLineFeed bare ->
          CommandResult.closing(500, "5.5.2", "A line ends with CR LF (RFC 5321 2.3.8)");
      case ReceivedLine.End end -> throw new IllegalStateException("the end is not a command");
    };
  }

  private CommandResult execute(Verb verb, String line) throws IOException {
    String argument = Verb.argument(line);
    return switch (verb) {
      case EHLO, HELO, LHLO -> hello(verb, argument);
      case MAIL -> mail.mail(argument);
      case RCPT -> mail.rcpt(argument);
      case DATA -> mail.data(argument);
      case BDAT -> mail.bdat(argument);
      case RSET -> mail.rset(argument);
      case NOOP -> CommandResult.of(250, "2.0.0", "Ok");
      case VRFY -> vrfy(argument);
      case HELP ->
          CommandResult.of(214, "2.0.0", "See RFC 5321; postmaster@" + shared.context().hostname());
      case QUIT -> quit(argument);
      case STARTTLS -> startTls(argument);
      case AUTH -> auth.auth(argument, mail.inTransaction());
      case ETRN -> etrn(argument);
      case XCLIENT -> xclient(argument);
      case EXPN, TURN -> CommandResult.of(502, "5.5.1", "Command not implemented");
      case HTTP -> CommandResult.closing(421, "4.7.0", "This is SMTP, not HTTP");
      case UNKNOWN -> unknown(line);
    };
  }

  /** EHLO and HELO, §4.1.1.1; LHLO, RFC 2033 §4.1. All begin anew, as RSET does. */
  private CommandResult hello(Verb verb, String name) {
    boolean lmtp = config.service() == Service.LMTP;
    if (lmtp != (verb == Verb.LHLO)) {
      return CommandResult.of(
          500, "5.5.1", lmtp ? "This is LMTP, say LHLO" : "This is SMTP, say EHLO");
    }
    if (!HostNameSyntax.isName(name)) {
      return CommandResult.of(501, "5.5.4", verb + " wants a domain name or an address literal");
    }
    mail.resetTransaction();
    client.greeted(name, verb != Verb.HELO);
    Optional<Reply> refusal = screening.ehlo();
    if (refusal.isPresent()) {
      client.forgetGreeting();
      SessionLog.rejected(client, verb.name(), refusal.get(), "", "");
      return CommandResult.ofRefusal(refusal.get());
    }
    List<String> lines = new ArrayList<>(List.of(shared.context().hostname()));
    if (client.extended()) lines.addAll(extensions.offered());
    return CommandResult.of(Reply.plain(250, lines.toArray(String[]::new)));
  }

  /** VRFY, §4.1.1.6; tells nobody who exists (§7.3). */
  private static CommandResult vrfy(String argument) {
    if (argument.isEmpty()) return CommandResult.of(501, "5.5.4", "Syntax: VRFY address");
    return CommandResult.of(252, "2.5.0", "Cannot verify, but will take a message and try");
  }

  /** QUIT, §4.1.1.10. */
  private static CommandResult quit(String argument) {
    if (!argument.isEmpty()) return CommandResult.of(501, "5.5.4", "QUIT has no argument");
    return CommandResult.closing(221, "2.0.0", "Bye");
  }

  /** STARTTLS, RFC 3207 §4. Anything sent after it in plain text may be an attacker's. */
  private CommandResult startTls(String argument) throws IOException {
    if (!argument.isEmpty()) return CommandResult.of(501, "5.5.4", "STARTTLS has no argument");
    if (connection.secured()) return CommandResult.of(503, "5.5.1", "TLS is active already");
    if (!extensions.startTls()) return CommandResult.of(502, "5.5.1", "STARTTLS is not offered");
    if (wire.unreadInput()) {
      return CommandResult.closing(554, "5.5.1", "Nothing may be pipelined after STARTTLS");
    }
    Reply ready = Reply.of(220, "2.0.0", "Ready to start TLS");
    return new CommandResult(ready, CommandResult.NextStep.START_TLS);
  }

  /** ETRN, RFC 1985 §5. Whoever is not trusted learns nothing about what waits. */
  private CommandResult etrn(String node) {
    if (client.name() == null) return CommandResult.of(503, "5.5.1", "Say EHLO first");
    if (mail.inTransaction()) return CommandResult.of(503, "5.5.1", "A transaction is under way");
    if (!HostNameSyntax.isDomain(node))
      return CommandResult.of(501, "5.5.4", "Syntax: ETRN domain");
    if (!extensions.etrn()) {
      return CommandResult.of(459, "4.7.1", "Node " + node + " not allowed: you are not trusted");
    }
    String ok = "Ok, pending messages for node " + node + " started";
    return switch (shared.context().queueRun().apply(node.toLowerCase(Locale.ROOT))) {
      case EtrnResult.NothingWaiting none ->
          CommandResult.of(251, "2.0.0", "Ok, no messages waiting for node " + node);
      case EtrnResult.Started started ->
          started.more()
              ? CommandResult.of(252, "2.0.0", ok)
              : CommandResult.of(
                  253, "2.0.0", ok.replace("pending", started.messages() + " pending"));
      case EtrnResult.Unavailable unable ->
          CommandResult.of(458, "4.3.0", "Unable to queue messages for node " + node + " now");
    };
  }

  /** XCLIENT, after Postfix: a trusted host says who its client is, and the session begins anew. */
  private CommandResult xclient(String argument) {
    if (!extensions.xclient()) return CommandResult.of(550, "5.7.0", "You may not use XCLIENT");
    if (mail.inTransaction()) return CommandResult.of(503, "5.5.1", "A transaction is under way");
    return switch (XclientArgument.parse(argument)) {
      case XclientArgument.Malformed bad -> CommandResult.of(501, "5.5.4", bad.problem());
      case XclientArgument.Valid valid -> {
        LOG.info("event=xclient client={} attributes={}", client.host(), valid.values());
        client.applyXclient(valid, valid.value(Attribute.LOGIN).flatMap(auth::userOfXclientLogin));
        Optional<Reply> refusal = seat.assignTo(client.address());
        if (refusal.isEmpty()) refusal = restartFilters();
        yield refusal.isPresent()
            ? CommandResult.closing(refusal.get())
            : CommandResult.of(welcome.reply());
      }
    };
  }

  /** Has the filters judge the client that is meant from now on, as they judge who connects. */
  private Optional<Reply> restartFilters() {
    screening.close();
    screening = rules.chain().open(facts);
    mail = new MailCommands(shared, wire, client, extensions, facts, screening);
    forbearance.reset();
    return screening.connect().map(Greeting::asGreeting);
  }

  private CommandResult unknown(String line) {
    if (line.contains(" HTTP/"))
      return CommandResult.closing(421, "4.7.0", "This is SMTP, not HTTP");
    LOG.debug("event=unknown_command client={} line={}", client.host(), Escape.quoted(line));
    return CommandResult.of(500, "5.5.1", "Command not recognized");
  }

  /** Shakes hands; afterwards nothing that was said before counts (RFC 3207 §4.2). */
  private boolean startTlsHandshake() throws IOException {
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
    client.certificateNames(connection.clientCertificate());
    mail.resetTransaction();
    LOG.debug("event=tls client={} {}", client.host(), connection.tlsDescription());
    return true;
  }

  private void sendFinalReply(Reply reply) {
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
  private static CommandResult lineTooLong(Verb verb) {
    if (verb == Verb.AUTH) return AuthCommand.lineTooLong();
    return CommandResult.of(500, "5.5.2", "Line too long");
  }
}
