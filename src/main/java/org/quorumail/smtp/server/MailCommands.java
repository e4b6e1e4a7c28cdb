package org.quorumail.smtp.server;

import java.io.EOFException;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Envelope.BodyType;
import org.quorumail.mail.MailAddress;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.BdatArgument;
import org.quorumail.smtp.ContentResult;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.PathParser;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.Service;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.spool.Intake.Readiness;

/**
 * The commands of a mail transaction, RFC 5321 §3.3: MAIL, RCPT, DATA, BDAT, RSET. Only the
 * session's thread uses them.
 */
final class MailCommands {
  private final SessionContext session;
  private final ListenerConfig config;
  private final SmtpChannel channel;
  private final RemoteClient client;
  private final EhloExtensions extensions;
  private @Nullable IncomingMessage chunked; // the message whose chunks BDAT has begun to send
  private int transactionsStarted; // of this session
  private int accepted;

  MailCommands(SessionContext session, EhloExtensions extensions) {
    this.session = session;
    this.config = session.config();
    this.channel = session.channel();
    this.client = session.remoteClient();
    this.extensions = extensions;
  }

  /** Messages of this session that were answered 250. */
  int accepted() {
    return accepted;
  }

  /** Ends the transaction in progress, if there is one, and discards its content. */
  void resetTransaction() {
    if (chunked != null) chunked.close();
    chunked = null;
    session.endTransaction();
  }

  /** MAIL, §4.1.1.2. */
  CommandResult mail(String argument) {
    CommandResult refusal = mailRefusal();
    if (refusal != null) return refusal;
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

  /** The refusal of any MAIL in this state of the session; null without one. */
  private @Nullable CommandResult mailRefusal() {
    if (client.name() == null) return CommandResult.of(503, "5.5.1", "Say EHLO first");
    if (session.inTransaction()) {
      return CommandResult.of(503, "5.5.1", "A transaction is under way");
    }
    if (config.requireTls() && !channel.secured()) {
      return CommandResult.of(530, "5.7.0", "Must issue a STARTTLS command first");
    }
    if (config.requireAuth() && client.identity().user().isEmpty()) {
      return CommandResult.of(530, "5.7.0", "Authentication required"); // RFC 4954 §6
    }
    if (session.availability().draining()) {
      return CommandResult.closing(Availability.refusal(Readiness.DRAINING));
    }
    int most = config.limits().messages();
    if (most > 0 && transactionsStarted >= most) { // RFC 9422 §4.1
      return CommandResult.of(452, "4.5.3", "Too many messages in one session, connect again");
    }
    return null;
  }

  /**
   * A user who has logged in, on whichever listener, has addresses to send as, RFC 6409 §6.1;
   * anybody has the null path.
   */
  private boolean maySendAs(ReversePath from) {
    if (client.user().isEmpty()) return true;
    return !(from instanceof ReversePath.Mailbox box)
        || client.user().get().maySendAs(box.address());
  }

  /**
   * The submitter of AUTH=, RFC 4954 §5, where the client has logged in and the address is its own;
   * else unknown.
   */
  private Optional<MailAddress> trustedSubmitter(Optional<MailAddress> submitter) {
    return submitter.filter(
        address -> client.user().filter(user -> user.maySendAs(address)).isPresent());
  }

  /**
   * @param eightBit whether the path, domain included, has octets above 127
   * @param rest the text after the path
   */
  private CommandResult startTransaction(ReversePath from, boolean eightBit, String rest) {
    MailParameters.Parsed parsed =
        MailParameters.parse(rest, extensions, session.server().clock().instant());
    if (parsed instanceof MailParameters.Parsed.Refused refused)
      return CommandResult.of(refused.reply());
    MailParameters.Parsed.Valid valid = (MailParameters.Parsed.Valid) parsed;
    if (eightBit && !valid.smtpUtf8()) return CommandResult.of(needsUtf8());
    if (valid.size() > config.maxMessageSize()) return CommandResult.of(tooLarge());
    if (!maySendAs(from))
      return CommandResult.of(553, "5.7.1", "This sender's address is not yours");
    Optional<Reply> refusal = session.availability().refusalAtMail();
    if (refusal.isPresent()) return CommandResult.of(refusal.get());
    if (!session.memory().tryReserve(SessionMemory.TRANSACTION, MemoryBudget.Use.TRANSACTION)) {
      return CommandResult.of(SessionMemory.REFUSAL);
    }
    transactionsStarted++;
    session.startTransaction(
        new IncomingTransaction(
            from, valid.options(), valid.smtpUtf8(), trustedSubmitter(valid.submitter())));
    Optional<Reply> unwanted = session.filters().mail();
    if (unwanted.isPresent()) {
      session.logRejected("MAIL", unwanted.get(), "");
      resetTransaction();
      return CommandResult.ofRefusal(unwanted.get());
    }
    return valid.priorityLowered() // RFC 6710 §4.2
        ? CommandResult.of(250, "2.3.6", "Ok, with MT-PRIORITY " + valid.options().priority())
        : CommandResult.of(250, "2.1.0", "Ok");
  }

  /** RCPT, §4.1.1.3. */
  CommandResult rcpt(String argument) {
    IncomingTransaction transaction = session.transaction();
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

  private CommandResult recipient(
      IncomingTransaction transaction, MailAddress written, String rest) {
    RcptParameters.Parsed parsed = RcptParameters.parse(rest, transaction.smtpUtf8());
    if (parsed instanceof RcptParameters.Parsed.Refused refused)
      return CommandResult.of(refused.reply());
    RcptParameters.Parsed.Valid valid = (RcptParameters.Parsed.Valid) parsed;
    MailAddress address = qualified(written);
    boolean full = transaction.recipientCount() >= config.limits().recipients();
    if (transaction.contains(address)) { // the filters have accepted it
      transaction.repeat();
      return CommandResult.of(250, "2.1.5", "Ok");
    }
    if (full) return CommandResult.of(452, "4.5.3", "Too many recipients");
    int length = address.toString().length() + valid.originalRecipient().length();
    long bytes = SessionMemory.ofRecipient(length);
    if (!session.memory().tryReserve(bytes, MemoryBudget.Use.RECIPIENT)) {
      return CommandResult.of(SessionMemory.REFUSAL);
    }
    Optional<Reply> refusal = session.filters().rcpt(written);
    if (refusal.isPresent()) {
      session.memory().release(bytes);
      session.logRejected("RCPT", refusal.get(), " to=" + Escape.quoted(written.toString()));
      return CommandResult.ofRefusal(refusal.get());
    }
    transaction.add(new Recipient(address, valid.reports(), valid.originalRecipient()));
    return CommandResult.of(250, "2.1.5", "Ok");
  }

  /** DATA, §4.1.1.4. Every way out after the 354 ends the transaction. */
  CommandResult data(String argument) throws IOException {
    if (!argument.isEmpty()) return CommandResult.of(501, "5.5.4", "DATA has no argument");
    IncomingTransaction transaction = session.transaction();
    if (transaction == null) return CommandResult.of(503, "5.5.1", "Say MAIL first");
    if (chunked != null) return CommandResult.of(503, "5.5.1", "BDAT has begun");
    if (transaction.options().body() == BodyType.BINARY_MIME) { // RFC 3030 §3
      return CommandResult.of(503, "5.5.1", "BINARYMIME wants BDAT");
    }
    if (transaction.recipientCount() == 0) return CommandResult.of(noRecipients());
    if (!IncomingMessage.tryReserve(session)) return CommandResult.of(SessionMemory.REFUSAL);
    channel.writer().reply(Reply.plain(354, "End data with <CR><LF>.<CR><LF>"));
    channel.deadline(config.timeouts().dataInit());
    try (IncomingMessage message = IncomingMessage.open(session, transaction)) {
      Reply reply =
          switch (message.readToDot(channel)) {
            case ContentResult.Complete whole -> message.commit(whole.size());
            case ContentResult.TooLarge large -> tooLarge();
            case ContentResult.BareLineEnd bare -> IncomingMessage.BARE_LINE_END;
            case ContentResult.Truncated cut ->
                throw new EOFException("the connection ended inside DATA");
          };
      return finished("DATA", transaction, message, reply);
    }
  }

  /**
   * BDAT, RFC 3030 §2. The chunk is read to its end in every case, so that no part of it is taken
   * for a command; a size that cannot be read ends the session. A failure ends the transaction, so
   * that pipelined chunks are refused.
   */
  CommandResult bdat(String argument) throws IOException {
    Optional<BdatArgument> parsed = BdatArgument.parse(argument);
    if (parsed.isEmpty()) return CommandResult.closing(501, "5.5.4", "Syntax: BDAT size [LAST]");
    BdatArgument chunk = parsed.get();
    if (chunk.size() > 2 * config.maxMessageSize()) { // too much to read only to discard it
      return CommandResult.closing(tooLarge());
    }
    channel.deadlinePerBlock(config.timeouts().dataBlock());
    IncomingTransaction transaction = session.transaction();
    if (transaction == null || transaction.recipientCount() == 0) {
      if (!IncomingMessage.discardChunk(channel, chunk.size())) throw cutInsideBdat();
      String missing = transaction == null ? "MAIL" : "RCPT";
      return CommandResult.of(503, "5.5.1", "No " + missing + " was accepted");
    }
    if (chunked == null) {
      if (!IncomingMessage.tryReserve(session)) {
        if (!IncomingMessage.discardChunk(channel, chunk.size())) throw cutInsideBdat();
        resetTransaction();
        return repliedForEach(transaction, SessionMemory.REFUSAL);
      }
      chunked = IncomingMessage.open(session, transaction);
    }
    IncomingMessage message = chunked;
    if (!message.readChunk(channel, chunk.size())) throw cutInsideBdat();
    Optional<Reply> problem =
        message.chunkOctets() > config.maxMessageSize()
            ? Optional.of(tooLarge())
            : message.failure();
    if (problem.isEmpty() && !chunk.last()) {
      return CommandResult.of(250, "2.0.0", chunk.size() + " octets received");
    }
    return finished(
        "BDAT",
        transaction,
        message,
        problem.orElseGet(() -> message.commit(message.chunkOctets())));
  }

  private static EOFException cutInsideBdat() {
    return new EOFException("the connection ended inside BDAT");
  }

  /** Ends the transaction with the reply to its content. */
  private CommandResult finished(
      String command, IncomingTransaction transaction, IncomingMessage message, Reply reply)
      throws IOException {
    if (reply.positive()) accepted++;
    else session.logRejected(command, reply, " queue_id=" + message.id());
    message.close(); // its memory is returned before replies that the client may not read
    resetTransaction();
    return repliedForEach(transaction, reply);
  }

  /** RFC 2033 §4.2: LMTP has one reply for each RCPT that was accepted. */
  private CommandResult repliedForEach(IncomingTransaction transaction, Reply reply)
      throws IOException {
    if (config.service() == Service.LMTP) {
      for (int i = 1; i < transaction.acceptedCommands(); i++) channel.writer().reply(reply);
    }
    return reply.code() == 421 ? CommandResult.closing(reply) : CommandResult.of(reply);
  }

  /** RFC 5321 §4.1.1.4; LMTP has a code of its own, RFC 2033 §4.2. */
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

  /** A bare {@code postmaster} (§4.5.1) gets this host's domain. */
  private MailAddress qualified(MailAddress address) {
    return address.qualified(session.hostname());
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

  /**
   * Returns the path and what follows it; null without the keyword. Devices and old clients write a
   * blank after the colon, or leave out the angle brackets, which are added.
   */
  private static @Nullable String afterKeyword(String keyword, String argument) {
    boolean fits = argument.regionMatches(true, 0, keyword, 0, keyword.length());
    if (!fits) return null;
    String path = argument.substring(keyword.length()).stripLeading();
    int blank = path.indexOf(' ');
    String address = blank < 0 ? path : path.substring(0, blank);
    boolean bare = !address.isEmpty() && address.chars().noneMatch(c -> "<>\"".indexOf(c) >= 0);
    return bare ? "<" + address + ">" + path.substring(address.length()) : path;
  }
}
