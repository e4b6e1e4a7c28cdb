package org.quorumail.smtp.server;

import java.io.EOFException;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.policy.FilterSession;
import org.quorumail.smtp.BdatArgument;
import org.quorumail.smtp.ContentResult;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.PathParser;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;
import org.quorumail.spool.Intake.Readiness;

/**
 * The commands of a mail transaction, RFC 5321 §3.3: MAIL, RCPT, DATA, BDAT, RSET. Holds the one
 * transaction that can be under way; only the session's thread uses it.
 */
final class MailCommands {
  private final ListenerContext shared;
  private final ListenerConfig config;
  private final Wire wire;
  private final RemoteClient client;
  private final SessionContext facts;
  private final FilterSession screening;
  private final EhloExtensions extensions;
  private @Nullable IncomingTransaction transaction;
  private @Nullable IncomingMessage chunked; // what BDAT has brought so far
  private int transactionsStarted; // transactions of this session
  private int accepted;

  MailCommands(
      ListenerContext shared,
      Wire wire,
      RemoteClient client,
      EhloExtensions extensions,
      SessionContext facts,
      FilterSession screening) {
    this.shared = shared;
    this.config = shared.config();
    this.wire = wire;
    this.client = client;
    this.facts = facts;
    this.screening = screening;
    this.extensions = extensions;
  }

  /** Whether MAIL has been accepted and the transaction is not over. */
  boolean inTransaction() {
    return transaction != null;
  }

  /** The sender of the transaction under way as text; empty when there is none. */
  String sender() {
    return transaction == null ? "" : transaction.reversePath().toString();
  }

  /** Messages that this session has been answered 250 for. */
  int accepted() {
    return accepted;
  }

  /** Ends the transaction, if one is under way, without a trace. */
  void resetTransaction() {
    if (chunked != null) chunked.close();
    chunked = null;
    if (transaction == null) return;
    transaction = null;
    facts.transaction(null);
    screening.reset();
  }

  /** MAIL, §4.1.1.2. */
  CommandResult mail(String argument) {
    if (client.name() == null) return CommandResult.of(503, "5.5.1", "Say EHLO first");
    if (transaction != null) return CommandResult.of(503, "5.5.1", "A transaction is under way");
    if (config.requireTls() && !wire.connection.secured()) {
      return CommandResult.of(530, "5.7.0", "Must issue a STARTTLS command first");
    }
    if (config.requireAuth() && client.identity().user().isEmpty()) {
      return CommandResult.of(530, "5.7.0", "Authentication required"); // RFC 4954 §6
    }
    if (shared.availability().draining()) {
      return CommandResult.closing(Availability.refusal(Readiness.DRAINING));
    }
    int most = config.limits().messages();
    if (most > 0 && transactionsStarted >= most) { // RFC 9422 §4.1
      return CommandResult.of(452, "4.5.3", "Too many messages in one session, connect again");
    }
    String path = afterKeyword("FROM:", argument);
    if (path == null) return CommandResult.of(501, "5.5.4", "Syntax: MAIL FROM:<address>");
    return switch (PathParser.parse(path)) {
      case PathParser.Parsed.Null none ->
          startTransaction(new ReversePath.Null(), false, none.rest());
      case PathParser.Parsed.Mailbox box ->
          startTransaction(
              new ReversePath.Mailbox(qualified(box.address())),
              eightBit(path.substring(0, path.length() - box.rest().length())),
              box.rest());
      case PathParser.Parsed.Malformed bad ->
          CommandResult.of(501, "5.1.7", "Bad sender: " + bad.reason());
      case PathParser.Parsed.IllegalLocalPart bad ->
          CommandResult.of(550, "5.1.7", "No mailbox can have this name");
      case PathParser.Parsed.NotUtf8 bad ->
          CommandResult.of(553, "5.6.7", "The address is not UTF-8");
    };
  }

  /** On submission a user sends only as himself, RFC 6409 §6.1; the null path belongs to all. */
  private boolean maySendAs(ReversePath from) {
    if (config.service() != Service.SUBMISSION || client.user().isEmpty()) return true;
    return !(from instanceof ReversePath.Mailbox box)
        || client.user().get().maySendAs(box.address());
  }

  /**
   * RFC 4954 §5: only a client that has logged in is believed, and only about an address that is
   * his; of all others it counts as not known.
   */
  private Optional<MailAddress> trustedSubmitter(Optional<MailAddress> submitter) {
    return submitter.filter(
        address -> client.user().filter(user -> user.maySendAs(address)).isPresent());
  }

  /**
   * @param eightBit whether the path was written with octets above 127, its domain included
   * @param rest what stands behind the path
   */
  private CommandResult startTransaction(ReversePath from, boolean eightBit, String rest) {
    MailParameters.Parsed parsed =
        MailParameters.parse(rest, extensions, shared.context().clock().instant());
    if (parsed instanceof MailParameters.Parsed.Refused refused)
      return CommandResult.of(refused.reply());
    MailParameters.Parsed.Valid valid = (MailParameters.Parsed.Valid) parsed;
    if (eightBit && !valid.smtpUtf8()) return CommandResult.of(needsUtf8());
    if (valid.size() > config.maxMessageSize()) return CommandResult.of(tooLarge());
    if (!maySendAs(from))
      return CommandResult.of(553, "5.7.1", "This sender's address is not yours");
    Optional<Reply> refusal = shared.availability().refusalAtMail();
    if (refusal.isPresent()) return CommandResult.of(refusal.get());
    transactionsStarted++;
    transaction =
        new IncomingTransaction(
            from, valid.options(), valid.smtpUtf8(), trustedSubmitter(valid.submitter()));
    facts.transaction(transaction);
    Optional<Reply> unwanted = screening.mail();
    if (unwanted.isPresent()) {
      rejected("MAIL", unwanted.get(), "");
      resetTransaction();
      return CommandResult.ofRefusal(unwanted.get());
    }
    return valid.priorityLowered() // RFC 6710 §4.2
        ? CommandResult.of(250, "2.3.6", "Ok, with MT-PRIORITY " + valid.options().priority())
        : CommandResult.of(250, "2.1.0", "Ok");
  }

  /** RCPT, §4.1.1.3. */
  CommandResult rcpt(String argument) {
    if (transaction == null) return CommandResult.of(503, "5.5.1", "Say MAIL first");
    if (chunked != null) return CommandResult.of(503, "5.5.1", "BDAT has begun");
    String path = afterKeyword("TO:", argument);
    if (path == null) return CommandResult.of(501, "5.5.4", "Syntax: RCPT TO:<address>");
    if (eightBit(path) && !transaction.smtpUtf8()) return CommandResult.of(needsUtf8());
    return switch (PathParser.parse(path)) {
      case PathParser.Parsed.Null none ->
          CommandResult.of(501, "5.1.3", "A recipient is not empty");
      case PathParser.Parsed.Mailbox box -> recipient(transaction, box.address(), box.rest());
      case PathParser.Parsed.Malformed bad ->
          CommandResult.of(501, "5.1.3", "Bad recipient: " + bad.reason());
      case PathParser.Parsed.IllegalLocalPart bad ->
          CommandResult.of(550, "5.1.3", "No mailbox can have this name");
      case PathParser.Parsed.NotUtf8 bad ->
          CommandResult.of(553, "5.6.7", "The address is not UTF-8");
    };
  }

  private CommandResult recipient(IncomingTransaction under, MailAddress written, String rest) {
    RcptParameters.Parsed parsed = RcptParameters.parse(rest, under.smtpUtf8());
    if (parsed instanceof RcptParameters.Parsed.Refused refused)
      return CommandResult.of(refused.reply());
    RcptParameters.Parsed.Valid valid = (RcptParameters.Parsed.Valid) parsed;
    MailAddress address = qualified(written);
    boolean full = under.recipientCount() >= config.limits().recipients();
    if (full && !under.contains(address))
      return CommandResult.of(452, "4.5.3", "Too many recipients");
    Optional<Reply> refusal = screening.rcpt(written);
    if (refusal.isPresent()) {
      rejected("RCPT", refusal.get(), " to=" + Escape.quoted(written.toString()));
      return CommandResult.ofRefusal(refusal.get());
    }
    under.add(new Recipient(address, valid.reports(), valid.originalRecipient()));
    return CommandResult.of(250, "2.1.5", "Ok");
  }

  /** DATA, §4.1.1.4. Every way out after the 354 ends the transaction. */
  CommandResult data(String argument) throws IOException {
    if (!argument.isEmpty()) return CommandResult.of(501, "5.5.4", "DATA has no argument");
    if (transaction == null) return CommandResult.of(503, "5.5.1", "Say MAIL first");
    if (chunked != null) return CommandResult.of(503, "5.5.1", "BDAT has begun");
    if (transaction.options().body() == BodyType.BINARY_MIME) { // RFC 3030 §3
      return CommandResult.of(503, "5.5.1", "BINARYMIME wants BDAT");
    }
    if (transaction.recipientCount() == 0) return CommandResult.of(noRecipients());
    wire.writer().reply(Reply.plain(354, "End data with <CR><LF>.<CR><LF>"));
    wire.connection.deadline(config.timeouts().dataInit());
    IncomingTransaction complete = transaction;
    try (IncomingMessage message = incoming(complete)) {
      Reply reply =
          switch (message.readToDot()) {
            case ContentResult.Complete whole -> message.commit(whole.size());
            case ContentResult.TooLarge large -> tooLarge();
            case ContentResult.BareLineEnd bare ->
                Reply.of(550, "5.6.11", "A bare CR or LF is not allowed (RFC 5321 2.3.8)");
            case ContentResult.Truncated cut -> throw new EOFException("cut inside DATA");
          };
      return finished("DATA", complete, message, reply);
    }
  }

  private IncomingMessage incoming(IncomingTransaction complete) {
    return new IncomingMessage(shared, wire, client, complete, facts, screening);
  }

  /**
   * BDAT, RFC 3030 §2. The chunk is always read to its end, wanted or not: no part of it is ever
   * taken for a command, which is why nobody goes on after a size that cannot be read. After a
   * failure the transaction is over, so what was pipelined is refused.
   */
  CommandResult bdat(String argument) throws IOException {
    Optional<BdatArgument> parsed = BdatArgument.parse(argument);
    if (parsed.isEmpty()) return CommandResult.closing(501, "5.5.4", "Syntax: BDAT size [LAST]");
    BdatArgument chunk = parsed.get();
    if (chunk.size() > 2 * config.maxMessageSize())
      return CommandResult.closing(tooLarge()); // not worth it
    wire.connection.deadlinePerBlock(config.timeouts().dataBlock());
    if (transaction == null || transaction.recipientCount() == 0) {
      if (!IncomingMessage.discardChunk(wire, chunk.size())) throw cutInsideBdat();
      String missing = transaction == null ? "MAIL" : "RCPT";
      return CommandResult.of(503, "5.5.1", "No " + missing + " was accepted");
    }
    IncomingTransaction under = transaction;
    IncomingMessage message = chunked != null ? chunked : incoming(under);
    chunked = message;
    if (!message.readChunk(chunk.size())) throw cutInsideBdat();
    Optional<Reply> problem =
        message.size() > config.maxMessageSize() ? Optional.of(tooLarge()) : message.failure();
    if (problem.isEmpty() && !chunk.last()) {
      return CommandResult.of(250, "2.0.0", chunk.size() + " octets received");
    }
    return finished(
        "BDAT", under, message, problem.orElseGet(() -> message.commit(message.size())));
  }

  private static EOFException cutInsideBdat() {
    return new EOFException("cut inside BDAT");
  }

  /** What the end of the content comes to; the transaction is over. */
  private CommandResult finished(
      String command, IncomingTransaction complete, IncomingMessage message, Reply reply)
      throws IOException {
    if (reply.positive()) accepted++;
    else rejected(command, reply, " queue_id=" + message.id());
    resetTransaction();
    if (config.service() == Service.LMTP) { // RFC 2033 §4.2: one reply for each RCPT accepted
      for (int i = 1; i < complete.acceptedCommands(); i++) wire.writer().reply(reply);
    }
    return reply.code() == 421 ? CommandResult.closing(reply) : CommandResult.of(reply);
  }

  /** RFC 5321 §4.1.1.4; LMTP has another code for it, RFC 2033 §4.2. */
  private Reply noRecipients() {
    int code = config.service() == Service.LMTP ? 503 : 554;
    return Reply.of(code, "5.5.1", "No valid recipients");
  }

  /** RSET, §4.1.1.5. */
  CommandResult rset(String argument) {
    if (!argument.isEmpty()) return CommandResult.of(501, "5.5.4", "RSET has no argument");
    resetTransaction();
    return CommandResult.of(250, "2.0.0", "Ok");
  }

  private void rejected(String command, Reply reply, String details) {
    SessionLog.rejected(client, command, reply, sender(), details);
  }

  /** The bare postmaster of §4.5.1 is this host's. */
  private MailAddress qualified(MailAddress address) {
    boolean bare = address.domain().isEmpty();
    return bare ? new MailAddress(address.localPart(), shared.context().hostname()) : address;
  }

  private static boolean eightBit(String octets) {
    return octets.chars().anyMatch(c -> c > 0x7F);
  }

  private static Reply needsUtf8() {
    return Reply.of(553, "5.6.7", "The address needs SMTPUTF8");
  }

  private Reply tooLarge() {
    return Reply.of(552, "5.3.4", "Message is larger than " + config.maxMessageSize() + " octets");
  }

  /** Strict clients write no blank after the colon; many others do. */
  private static @Nullable String afterKeyword(String keyword, String argument) {
    boolean fits = argument.regionMatches(true, 0, keyword, 0, keyword.length());
    return fits ? argument.substring(keyword.length()).stripLeading() : null;
  }
}
