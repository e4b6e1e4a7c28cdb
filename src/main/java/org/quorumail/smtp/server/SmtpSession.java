package org.quorumail.smtp.server;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLException;
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
 * One SMTP session, RFC 5321 §3.1 to §3.8: it sends the {@link Greeting}, then reads commands and
 * replies until one side ends the session. The commands of a mail transaction are in {@link
 * MailCommands}; {@link ErrorLimit} ends sessions with too many errors. All state belongs to the
 * virtual thread that runs the session; only {@link #isIdle} is read by another.
 */
final class SmtpSession {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(20);
  private static final Duration FINAL_REPLY_TIMEOUT = Duration.ofSeconds(1);
  private static final int MAX_LOGGED_ATTRIBUTES = 1024;

  private final SessionContext session;
  private final ListenerConfig config;
  private final SmtpChannel channel;
  private final RemoteClient client;
  private final ConnectionLimiter.Permit permit;
  private final Greeting greeting;
  private final AuthCommand auth;
  private final EhloExtensions extensions;
  private final ErrorLimit errorLimit;
  private MailCommands mail;
  private volatile boolean idle = true;

  SmtpSession(SessionContext session, ConnectionLimiter.Permit permit) {
    this.session = session;
    this.config = session.config();
    this.channel = session.channel();
    this.client = session.remoteClient();
    this.permit = permit;
    this.greeting = new Greeting(session);
    this.auth = new AuthCommand(session);
    this.extensions = new EhloExtensions(session, auth);
    this.errorLimit = new ErrorLimit(session);
    this.mail = new MailCommands(session, extensions);
  }

  /** Whether no transaction is in progress, so that the session may be ended without loss. */
  boolean isIdle() {
    return idle;
  }

  /** Runs the session to its end; the caller closes the connection. */
  void run() {
    try {
      channel.deadline(HANDSHAKE_TIMEOUT);
      if (config.tls() == TlsMode.IMPLICIT) {
        if (!session.memory().tryReserveTls() || !startTlsHandshake()) return;
      }
      channel.deadline(config.timeouts().command());
      if (greeting.send()) processCommands();
      channel.flush();
    } catch (SocketTimeoutException e) {
      LOG.debug("event=session_timeout client={}", client.host());
      sendFinalReply(Reply.of(421, "4.4.2", "Timeout, closing connection"));
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", client.host(), e);
    } finally {
      mail.resetTransaction();
      session.filters().close();
    }
  }

  private void processCommands() throws IOException {
    while (true) {
      channel.deadline(config.timeouts().command());
      ReceivedLine line = channel.reader().readLine(auth.longestLine(config.limits().line()));
      if (line instanceof ReceivedLine.End) {
        if (session.availability().draining()) {
          channel.writer().reply(Availability.refusal(Readiness.DRAINING));
        }
        return;
      }
      long start = System.nanoTime();
      Verb verb = verb(line);
      // before MAIL asks whether the node drains: a drain that sees an idle session misses nothing
      if (verb == Verb.MAIL) idle = false;
      CommandResult undelayed = result(verb, line);
      idle = !session.inTransaction();
      CommandResult result = errorLimit.apply(undelayed, verb, mail.accepted());
      channel.writer().reply(result.reply());
      session.metrics().command(verb, System.nanoTime() - start);
      switch (result.next()) {
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

  private CommandResult result(Verb verb, ReceivedLine line) throws IOException {
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
      case HELP -> CommandResult.of(214, "2.0.0", "See RFC 5321; postmaster@" + session.hostname());
      case QUIT -> quit(argument);
      case STARTTLS -> startTls(argument);
      case AUTH -> auth.auth(argument);
      case ETRN -> etrn(argument);
      case XCLIENT -> xclient(argument);
      case EXPN, TURN -> CommandResult.of(502, "5.5.1", "Command not implemented");
      case HTTP -> CommandResult.closing(421, "4.7.0", "This is SMTP, not HTTP");
      case UNKNOWN -> unknown(line);
    };
  }

  /** EHLO and HELO, §4.1.1.1; LHLO, RFC 2033 §4.1. Each ends the transaction, as RSET does. */
  private CommandResult hello(Verb verb, String name) {
    boolean lmtp = config.service() == Service.LMTP;
    if (lmtp != (verb == Verb.LHLO)) {
      return CommandResult.of(
          500, "5.5.1", lmtp ? "This is LMTP, say LHLO" : "This is SMTP, say EHLO");
    }
    if (!HostNameSyntax.isClientName(name)) {
      return CommandResult.of(501, "5.5.4", verb + " wants the name of the client");
    }
    mail.resetTransaction();
    client.greeted(name, verb != Verb.HELO);
    Optional<Reply> refusal = session.filters().ehlo();
    if (refusal.isPresent()) {
      client.forgetGreeting();
      session.logRejected(verb.name(), refusal.get(), "");
      return CommandResult.ofRefusal(refusal.get());
    }
    List<String> lines = new ArrayList<>(List.of(session.hostname()));
    if (client.extended()) lines.addAll(extensions.offered());
    return CommandResult.of(Reply.plain(250, lines.toArray(String[]::new)));
  }

  /** VRFY, §4.1.1.6; the reply does not depend on whether the mailbox exists (§7.3). */
  private static CommandResult vrfy(String argument) {
    if (argument.isEmpty()) return CommandResult.of(501, "5.5.4", "Syntax: VRFY address");
    return CommandResult.of(252, "2.5.0", "Cannot verify, but will take a message and try");
  }

  /** QUIT, §4.1.1.10. */
  private static CommandResult quit(String argument) {
    if (!argument.isEmpty()) return CommandResult.of(501, "5.5.4", "QUIT has no argument");
    return CommandResult.closing(221, "2.0.0", "Bye");
  }

  /** STARTTLS, RFC 3207 §4. Plain text that arrives after it may come from an attacker. */
  private CommandResult startTls(String argument) throws IOException {
    if (!argument.isEmpty()) return CommandResult.of(501, "5.5.4", "STARTTLS has no argument");
    if (channel.secured()) return CommandResult.of(503, "5.5.1", "TLS is active already");
    if (!extensions.startTls()) return CommandResult.of(502, "5.5.1", "STARTTLS is not offered");
    if (channel.hasUnreadInput()) {
      return CommandResult.closing(554, "5.5.1", "Nothing may be pipelined after STARTTLS");
    }
    if (!session.memory().tryReserveTls()) {
      return CommandResult.of(SessionMemory.REFUSAL_AT_STARTTLS);
    }
    Reply ready = Reply.of(220, "2.0.0", "Ready to start TLS");
    return new CommandResult(ready, CommandResult.NextStep.START_TLS);
  }

  /** ETRN, RFC 1985 §5. Only trusted clients learn about waiting mail. */
  private CommandResult etrn(String node) {
    if (client.name() == null) return CommandResult.of(503, "5.5.1", "Say EHLO first");
    if (session.inTransaction())
      return CommandResult.of(503, "5.5.1", "A transaction is under way");
    if (!HostNameSyntax.isDomain(node))
      return CommandResult.of(501, "5.5.4", "Syntax: ETRN domain");
    if (!extensions.etrn()) {
      return CommandResult.of(459, "4.7.1", "Node " + node + " not allowed: you are not trusted");
    }
    String ok = "Ok, pending messages for node " + node + " started";
    return switch (session.server().queueRun().apply(node.toLowerCase(Locale.ROOT))) {
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

  /** XCLIENT, after Postfix: a trusted host names its own client, and the session starts again. */
  private CommandResult xclient(String argument) {
    if (!extensions.xclient()) return CommandResult.of(550, "5.7.0", "You may not use XCLIENT");
    if (session.inTransaction())
      return CommandResult.of(503, "5.5.1", "A transaction is under way");
    return switch (XclientArgument.parse(argument)) {
      case XclientArgument.Malformed bad -> CommandResult.of(501, "5.5.4", bad.problem());
      case XclientArgument.Valid valid -> {
        LOG.info(
            "event=xclient client={} attributes={}",
            client.host(),
            Escape.quoted(valid.values().toString(), MAX_LOGGED_ATTRIBUTES));
        client.applyXclient(valid, valid.value(Attribute.LOGIN).flatMap(auth::userOfXclientLogin));
        Optional<Reply> refusal = permit.assignTo(client.address());
        if (refusal.isEmpty()) refusal = restartFilters();
        yield refusal.isPresent()
            ? CommandResult.closing(refusal.get())
            : CommandResult.of(greeting.reply());
      }
    };
  }

  /** Starts the filters again, which judge the new client as one that has just connected. */
  private Optional<Reply> restartFilters() {
    session.restartFilters();
    mail = new MailCommands(session, extensions);
    errorLimit.reset();
    return session.filters().connect().map(Greeting::asGreeting);
  }

  private CommandResult unknown(String line) {
    if (line.contains(" HTTP/"))
      return CommandResult.closing(421, "4.7.0", "This is SMTP, not HTTP");
    LOG.debug("event=unknown_command client={} line={}", client.host(), Escape.quoted(line));
    return CommandResult.of(500, "5.5.1", "Command not recognized");
  }

  /** Makes the handshake, after which the client must start with EHLO again (RFC 3207 §4.2). */
  private boolean startTlsHandshake() throws IOException {
    channel.flush();
    Optional<ServerTls> tls = session.server().tls().get();
    if (tls.isEmpty()) return false;
    channel.deadline(HANDSHAKE_TIMEOUT);
    try {
      channel.startTls(tls.get());
    } catch (SSLException e) {
      LOG.info(
          "event=tls_failed client={} reason={}",
          client.host(),
          Escape.quoted(String.valueOf(e.getMessage())));
      return false;
    }
    client.forgetGreeting();
    client.certificateNames(channel.clientCertificate());
    mail.resetTransaction();
    LOG.debug("event=tls client={} tls=\"{}\"", client.host(), channel.tlsDescription());
    return true;
  }

  private void sendFinalReply(Reply reply) {
    try {
      channel.deadline(FINAL_REPLY_TIMEOUT);
      channel.writer().reply(reply);
      channel.flush();
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", client.host(), e);
    }
  }

  private boolean tooLong(Verb verb, String line) {
    int limit = verb.hasParameters() ? config.limits().line() : Verb.MAX_LINE;
    return line.length() + 2 > (verb == Verb.AUTH ? AuthCommand.MAX_LINE : limit);
  }

  /** A line of an authentication that is too long has a status of its own, RFC 4954 §4. */
  private static CommandResult lineTooLong(Verb verb) {
    if (verb == Verb.AUTH) return AuthCommand.lineTooLong();
    return CommandResult.of(500, "5.5.2", "Line too long");
  }
}
