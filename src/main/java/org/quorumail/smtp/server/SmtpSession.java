package org.quorumail.smtp.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.Config.ListenerConfig;
import org.quorumail.config.Config.ListenerTls;
import org.quorumail.config.Config.Service;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.RelayPolicy.Decision;
import org.quorumail.smtp.Connection;
import org.quorumail.smtp.Content;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Line;
import org.quorumail.smtp.PathSyntax;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.smtp.SmtpWriter;
import org.quorumail.smtp.TlsContexts.ServerTls;
import org.quorumail.spool.Intake.Readiness;
import org.quorumail.spool.Intake.Reception;
import org.quorumail.spool.Intake.Verdict;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One session, RFC 5321 §3.1 to §3.8: reads a command, answers it, until one of the two goes. All
 * of its state belongs to the virtual thread that runs it; only {@link #idle} is read by another.
 */
final class SmtpSession {
  private static final Logger LOG = LoggerFactory.getLogger(SmtpSession.class);
  private static final Duration HANDSHAKE = Duration.ofSeconds(30);
  private static final int MAX_NAME = 255; // §4.5.3.1.2

  private final Connection connection;
  private final ListenerConfig config;
  private final ServerContext context;
  private final Availability availability;
  private final SmtpMetrics metrics;
  private final InetAddress client;

  private SmtpReader reader;
  private SmtpWriter writer;
  private @Nullable String heloName;
  private boolean extended; // EHLO or LHLO, not HELO
  private @Nullable Transaction transaction;
  private int errors;
  private volatile boolean idle = true;

  SmtpSession(
      Connection connection,
      ListenerConfig config,
      ServerContext context,
      Availability availability,
      SmtpMetrics metrics) {
    this.connection = connection;
    this.config = config;
    this.context = context;
    this.availability = availability;
    this.metrics = metrics;
    this.client = connection.remoteAddress();
    this.writer = new SmtpWriter(connection.output());
    this.reader = new SmtpReader(connection.input(), writer::flush);
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
      if (greet()) converse();
      writer.flush();
    } catch (SocketTimeoutException e) {
      LOG.debug("event=timeout client={}", client.getHostAddress());
      sayGoodbye(Reply.of(421, "4.4.2", "Timeout, closing connection"));
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", client.getHostAddress(), e);
    }
  }

  private boolean greet() throws IOException {
    connection.deadline(config.timeouts().command());
    Optional<Reply> refusal = availability.refusalAtConnect();
    if (refusal.isPresent()) {
      metrics.connectionRejected();
      writer.reply(refusal.get());
      return false;
    }
    String protocol = config.service() == Service.LMTP ? " LMTP" : " ESMTP";
    writer.reply(Reply.plain(220, context.hostname() + protocol + " Quorumail"));
    return true;
  }

  private void converse() throws IOException {
    while (true) {
      connection.deadline(config.timeouts().command());
      Line line = reader.readLine(config.limits().line());
      if (line instanceof Line.End) {
        if (availability.draining()) writer.reply(Availability.refusal(Readiness.DRAINING));
        return;
      }
      long start = System.nanoTime();
      Verb verb = line instanceof Line.Text text ? Verb.of(text.text()) : Verb.UNKNOWN;
      Answer answer = bounded(answer(verb, line), verb);
      writer.reply(answer.reply());
      metrics.command(verb, System.nanoTime() - start);
      idle = transaction == null;
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

  private Answer answer(Verb verb, Line line) throws IOException {
    return switch (line) {
      case Line.Text text ->
          tooLong(verb, text.text()) ? lineTooLong() : carryOut(verb, text.text());
      case Line.TooLong tooLong -> lineTooLong();
      case Line.BareLineFeed bare ->
          Answer.close(500, "5.5.2", "A line ends with CR LF (RFC 5321 2.3.8)");
      case Line.End end -> throw new IllegalStateException("the end is not a command");
    };
  }

  private Answer carryOut(Verb verb, String line) throws IOException {
    String argument = Verb.argument(line);
    return switch (verb) {
      case EHLO, HELO, LHLO -> hello(verb, argument);
      case MAIL -> mail(argument);
      case RCPT -> rcpt(argument);
      case DATA -> data(argument);
      case RSET -> rset(argument);
      case NOOP -> Answer.say(250, "2.0.0", "Ok");
      case VRFY -> vrfy(argument);
      case HELP -> Answer.say(214, "2.0.0", "See RFC 5321; postmaster@" + context.hostname());
      case QUIT -> quit(argument);
      case STARTTLS -> startTls(argument);
      case EXPN, ETRN, TURN, AUTH -> Answer.say(502, "5.5.1", "Command not implemented");
      // the chunk that may follow must never be read as commands
      case BDAT -> Answer.close(502, "5.5.1", "CHUNKING was not offered");
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
    if (!isName(name)) {
      return Answer.say(501, "5.5.4", verb + " wants a domain name or an address literal");
    }
    heloName = name;
    extended = verb != Verb.HELO;
    transaction = null;
    if (!extended) return Answer.say(Reply.plain(250, context.hostname()));
    return Answer.say(Reply.plain(250, extensions().toArray(String[]::new)));
  }

  private List<String> extensions() {
    List<String> lines = new ArrayList<>();
    lines.add(context.hostname());
    lines.add("PIPELINING");
    lines.add("SIZE " + config.maxMessageSize());
    lines.add("8BITMIME");
    lines.add("ENHANCEDSTATUSCODES");
    if (tlsOffered()) lines.add("STARTTLS");
    return lines;
  }

  /** MAIL, §4.1.1.2. */
  private Answer mail(String argument) {
    if (heloName == null) return Answer.say(503, "5.5.1", "Say EHLO first");
    if (transaction != null) return Answer.say(503, "5.5.1", "A transaction is under way");
    if (config.requireTls() && !connection.secured()) {
      return Answer.say(530, "5.7.0", "Must issue a STARTTLS command first");
    }
    if (availability.draining()) return closing(Availability.refusal(Readiness.DRAINING));
    String path = afterKeyword("FROM:", argument);
    if (path == null) return Answer.say(501, "5.5.4", "Syntax: MAIL FROM:<address>");
    return switch (PathSyntax.parse(path)) {
      case PathSyntax.Parsed.Null none -> begin(new ReversePath.Null(), none.rest());
      case PathSyntax.Parsed.Mailbox box ->
          begin(new ReversePath.Mailbox(qualified(box.address())), box.rest());
      case PathSyntax.Parsed.Malformed bad ->
          Answer.say(501, "5.1.7", "Bad sender: " + bad.reason());
      case PathSyntax.Parsed.IllegalLocalPart bad ->
          Answer.say(550, "5.1.7", "No mailbox can have this name");
      case PathSyntax.Parsed.Internationalized utf8 ->
          Answer.say(553, "5.6.7", "Address needs SMTPUTF8, which is not offered");
    };
  }

  private Answer begin(ReversePath from, String rest) {
    MailParameters parameters = parametersOf(rest, true);
    if (parameters instanceof MailParameters.Refused refused) return Answer.say(refused.reply());
    MailParameters.Valid valid = (MailParameters.Valid) parameters;
    if (valid.size() > config.maxMessageSize()) return Answer.say(tooLarge());
    Optional<Reply> refusal = availability.refusalAtMail();
    if (refusal.isPresent()) return Answer.say(refusal.get());
    transaction = new Transaction(from, valid.body());
    idle = false;
    return Answer.say(250, "2.1.0", "Ok");
  }

  /** RCPT, §4.1.1.3. */
  private Answer rcpt(String argument) {
    if (transaction == null) return Answer.say(503, "5.5.1", "Say MAIL first");
    String path = afterKeyword("TO:", argument);
    if (path == null) return Answer.say(501, "5.5.4", "Syntax: RCPT TO:<address>");
    return switch (PathSyntax.parse(path)) {
      case PathSyntax.Parsed.Null none -> Answer.say(501, "5.1.3", "A recipient is not empty");
      case PathSyntax.Parsed.Mailbox box -> recipient(transaction, box.address(), box.rest());
      case PathSyntax.Parsed.Malformed bad ->
          Answer.say(501, "5.1.3", "Bad recipient: " + bad.reason());
      case PathSyntax.Parsed.IllegalLocalPart bad ->
          Answer.say(550, "5.1.3", "No mailbox can have this name");
      case PathSyntax.Parsed.Internationalized utf8 ->
          Answer.say(553, "5.6.7", "Address needs SMTPUTF8, which is not offered");
    };
  }

  private Answer recipient(Transaction under, MailAddress written, String rest) {
    MailParameters parameters = parametersOf(rest, false);
    if (parameters instanceof MailParameters.Refused refused) return Answer.say(refused.reply());
    Decision decision = context.policy().get().recipient(client, written);
    if (decision instanceof Decision.Refuse refuse) {
      logRejected("RCPT", refuse.reply(), " to=" + Escape.quoted(written.toString()));
      return Answer.say(refuse.reply());
    }
    MailAddress address = qualified(written);
    boolean full = under.recipientCount() >= config.limits().recipients();
    if (full && !under.contains(address)) return Answer.say(452, "4.5.3", "Too many recipients");
    under.add(address);
    return Answer.say(250, "2.1.5", "Ok");
  }

  /** DATA, §4.1.1.4. Every way out ends the transaction. */
  private Answer data(String argument) throws IOException {
    if (!argument.isEmpty()) return Answer.say(501, "5.5.4", "DATA has no argument");
    if (transaction == null) return Answer.say(503, "5.5.1", "Say MAIL first");
    if (transaction.recipientCount() == 0) {
      return Answer.say(554, "5.5.1", "No valid recipients");
    }
    writer.reply(Reply.plain(354, "End data with <CR><LF>.<CR><LF>"));
    connection.deadline(config.timeouts().dataInit());
    Transaction complete = transaction;
    Reply reply = receive(complete);
    transaction = null;
    if (config.service() == Service.LMTP) { // RFC 2033 §4.2: one reply for each recipient
      for (int i = 1; i < complete.recipientCount(); i++) writer.reply(reply);
    }
    return reply.code() == 421 ? closing(reply) : Answer.say(reply);
  }

  private Reply receive(Transaction complete) throws IOException {
    try (Reception reception = context.intake().receive()) {
      SpoolSink sink = new SpoolSink(reception, connection, config.timeouts().dataBlock());
      sink.trace(traceHeader(complete, reception));
      Content content = reader.readContent(config.maxMessageSize(), sink);
      Reply reply =
          switch (content) {
            case Content.Complete whole -> commit(complete, reception, sink, whole.size());
            case Content.TooLarge large -> tooLarge();
            case Content.BareLineEnd bare ->
                Reply.of(550, "5.6.11", "A bare CR or LF is not allowed (RFC 5321 2.3.8)");
            case Content.Cut cut -> throw new java.io.EOFException("cut inside DATA");
          };
      if (!reply.positive()) logRejected("DATA", reply, " queue_id=" + reception.id());
      return reply;
    }
  }

  private Reply commit(Transaction complete, Reception reception, SpoolSink sink, long size) {
    if (sink.looping()) return Reply.of(554, "5.4.6", "Too many hops, this message is in a loop");
    if (sink.failed()) return Availability.refusal(Readiness.NO_QUORUM);
    long start = System.nanoTime();
    Verdict verdict = reception.commit(complete.envelope());
    metrics.committed(System.nanoTime() - start);
    return switch (verdict) {
      case Verdict.Accepted accepted -> {
        errors = 0;
        metrics.received(size);
        LOG.info(
            "event=received queue_id={} from={} nrcpt={} size={} client={} helo={}",
            accepted.id(),
            Escape.quoted(complete.reversePath().toString()),
            complete.recipientCount(),
            size,
            client.getHostAddress(),
            Escape.quoted(String.valueOf(heloName)));
        yield Reply.of(250, "2.0.0", "Ok: queued as " + accepted.id());
      }
      case Verdict.Refused refused -> Availability.refusal(refused.reason());
    };
  }

  private byte[] traceHeader(Transaction complete, Reception reception) {
    String name = heloName == null ? "unknown" : heloName;
    String protocol =
        !extended ? "SMTP" : config.service() == Service.LMTP ? "LMTP" : "ESMTP"; // RFC 3848
    return TraceHeader.compose(
        new TraceHeader.Peer(name, client),
        connection.secured() && extended ? protocol + "S" : protocol,
        context.hostname(),
        reception.id(),
        complete.envelope(),
        context.clock().instant());
  }

  /** RSET, §4.1.1.5. */
  private Answer rset(String argument) {
    if (!argument.isEmpty()) return Answer.say(501, "5.5.4", "RSET has no argument");
    transaction = null;
    return Answer.say(250, "2.0.0", "Ok");
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
    if (!tlsOffered()) return Answer.say(502, "5.5.1", "STARTTLS is not offered");
    if (reader.buffered() > 0 || connection.unreadInput()) {
      return Answer.close(554, "5.5.1", "Nothing may be pipelined after STARTTLS");
    }
    Reply ready = Reply.of(220, "2.0.0", "Ready to start TLS");
    return new Answer(ready, Answer.Next.START_TLS);
  }

  private Answer unknown(String line) {
    if (line.contains(" HTTP/")) return Answer.close(421, "4.7.0", "This is SMTP, not HTTP");
    LOG.debug(
        "event=unknown_command client={} line={}", client.getHostAddress(), Escape.quoted(line));
    return Answer.say(500, "5.5.1", "Command not recognized");
  }

  /** Shakes hands; afterwards nothing that was said before counts (RFC 3207 §4.2). */
  private boolean secure() throws IOException {
    writer.flush();
    Optional<ServerTls> tls = context.tls().get();
    if (tls.isEmpty()) return false;
    connection.deadline(HANDSHAKE);
    try {
      connection.startTls(tls.get());
    } catch (javax.net.ssl.SSLException e) {
      LOG.info(
          "event=tls_failed client={} reason={}",
          client.getHostAddress(),
          Escape.quoted(String.valueOf(e.getMessage())));
      return false;
    }
    writer = new SmtpWriter(connection.output());
    reader = new SmtpReader(connection.input(), writer::flush);
    heloName = null;
    transaction = null;
    LOG.debug("event=tls client={} {}", client.getHostAddress(), connection.tlsDescription());
    return true;
  }

  private boolean tlsOffered() {
    return config.tls() == ListenerTls.STARTTLS
        && !connection.secured()
        && context.tls().get().isPresent();
  }

  /** Counts what went wrong; a client that only makes mistakes is sent away (§4.3.2 allows 421). */
  private Answer bounded(Answer answer, Verb verb) {
    int code = answer.reply().code();
    if (code < 400) return answer;
    metrics.error(code);
    if (code >= 500 && ++errors > config.limits().errors()) {
      logRejected(verb.name(), answer.reply(), " errors=" + errors);
      return Answer.close(421, "4.7.0", "Too many errors");
    }
    return answer;
  }

  private void logRejected(String command, Reply reply, String details) {
    String from = transaction == null ? "" : transaction.reversePath().toString();
    LOG.info(
        "event=rejected command={} reply=\"{}\" client={} from={}{}",
        command,
        reply,
        client.getHostAddress(),
        Escape.quoted(from),
        details);
  }

  private void sayGoodbye(Reply reply) {
    try {
      connection.deadline(Duration.ofSeconds(1)); // a courtesy, not worth a wait
      writer.reply(reply);
      writer.flush();
    } catch (IOException e) {
      LOG.debug("event=connection_lost client={} reason=\"{}\"", client.getHostAddress(), e);
    }
  }

  private MailParameters parametersOf(String rest, boolean mail) {
    if (!rest.isEmpty() && rest.charAt(0) != ' ') {
      return new MailParameters.Refused(Reply.of(501, "5.5.4", "A blank precedes parameters"));
    }
    return mail ? MailParameters.parseMail(rest) : MailParameters.parseRcpt(rest);
  }

  /** The bare postmaster of §4.5.1 is this host's. */
  private MailAddress qualified(MailAddress address) {
    boolean bare = address.domain().isEmpty();
    return bare ? new MailAddress(address.localPart(), context.hostname()) : address;
  }

  private Reply tooLarge() {
    return Reply.of(552, "5.3.4", "Message is larger than " + config.maxMessageSize() + " octets");
  }

  private static boolean tooLong(Verb verb, String line) {
    return !verb.hasParameters() && line.length() + 2 > Verb.MAX_LINE;
  }

  private static Answer lineTooLong() {
    return Answer.say(500, "5.5.2", "Line too long");
  }

  private static Answer closing(Reply reply) {
    return new Answer(reply, Answer.Next.CLOSE);
  }

  /** Strict clients write no blank after the colon; many others do. */
  private static @Nullable String afterKeyword(String keyword, String argument) {
    boolean fits = argument.regionMatches(true, 0, keyword, 0, keyword.length());
    return fits ? argument.substring(keyword.length()).stripLeading() : null;
  }

  /** Not as strict as §4.1.2: names with odd labels are common, and harmless in a trace header. */
  private static boolean isName(String name) {
    if (name.isEmpty() || name.length() > MAX_NAME) return false;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      boolean other = (c >= '0' && c <= '9') || ".-_:[]".indexOf(c) >= 0;
      if (!letter && !other) return false;
    }
    return true;
  }
}
