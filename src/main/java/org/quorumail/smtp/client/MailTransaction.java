package org.quorumail.smtp.client;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.mail.Envelope;
import org.quorumail.mail.Outcome;
import org.quorumail.mail.Outcome.SuccessReport;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.RecipientOutcome;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.smtp.SmtpProtocolException;
import org.quorumail.smtp.SmtpWriter;

/**
 * One transaction on a connection, RFC 5321 §3.3: MAIL, RCPT and the content by DATA or BDAT,
 * pipelined where the server offers that (RFC 2920). It turns the replies into one outcome for each
 * recipient. Used once, by one thread.
 */
final class MailTransaction {
  /** RCPT commands sent before their replies are read, so that both directions never fill up. */
  private static final int MAX_PIPELINED_RCPTS = 100;

  private static final int BUFFER_SIZE = 16 * 1024; // as much as the writer holds
  private static final int TOO_MANY_RECIPIENTS = 452; // RFC 5321 §4.5.3.1.10
  private static final int TOO_MANY_BY_RFC_821 = 552; // also a full mailbox
  private static final EnhancedStatus RECIPIENT_LIMIT = new EnhancedStatus(4, 5, 3);
  private static final int CHUNK_SIZE = 64 * 1024; // one reply each; more saves few round trips
  private static final int MAX_DIAGNOSTIC = 512; // the longest reply line by §4.5.3.1.5
  private static final EnhancedStatus OK = new EnhancedStatus(2, 0, 0);

  private final SmtpConnection connection;
  private final SmtpChannel channel;
  private final SmtpWriter writer;
  private final TransactionPlan.Sendable plan;
  private final Envelope envelope;
  private final SmtpTimeouts timeouts;
  private final boolean pipelining;

  /** The outcome by recipient; null while the server has not decided. */
  private final @Nullable Outcome[] outcomes;

  /** Replies to RCPT that are about the session, until it is known whether the session works. */
  private final Map<Integer, Reply> sequenceErrors = new LinkedHashMap<>();

  private final List<Integer> accepted = new ArrayList<>(); // by a positive reply to RCPT
  private final List<Integer> leftOver = new ArrayList<>();
  private boolean sessionEnds;
  private boolean dotSent;
  private boolean completed;

  MailTransaction(
      SmtpConnection connection,
      SmtpChannel channel,
      SmtpWriter writer,
      TransactionPlan.Sendable plan,
      Envelope envelope) {
    this.connection = connection;
    this.channel = channel;
    this.writer = writer;
    this.plan = plan;
    this.envelope = envelope;
    this.timeouts = connection.timeouts();
    this.pipelining = connection.supports("PIPELINING");
    this.outcomes = new Outcome[envelope.recipients().size()];
  }

  /**
   * Returns whether the server has given its final replies, so that the next transaction needs no
   * RSET.
   */
  boolean completed() {
    return completed;
  }

  /**
   * Runs the transaction.
   *
   * @param afterOther whether another transaction was begun on this connection and not completed
   * @throws IOException when the session is lost, or the server breaks the protocol
   */
  SendResult run(boolean afterOther, Supplier<InputStream> content, FinalDotGuard dot)
      throws IOException {
    if (afterOther) writer.command("RSET");
    writer.command("MAIL FROM:<" + envelope.reversePath() + ">" + plan.parameters());
    if (!sendRecipients(afterOther)) return answered();
    judgeSequenceErrors();
    if (plan.byBdat()) return accepted.isEmpty() ? answered() : sendByBdat(content, dot);
    if (!pipelining) {
      if (accepted.isEmpty()) return answered();
      writer.command("DATA");
    }
    return sendByData(content, dot);
  }

  /** Sends RCPT in groups and reads the replies to MAIL and RCPT; false when MAIL was refused. */
  private boolean sendRecipients(boolean afterOther) throws IOException {
    List<Recipient> recipients = envelope.recipients();
    if (!pipelining && isMailRefused(afterOther, 0, false)) return false;
    int group = pipelining ? MAX_PIPELINED_RCPTS : 1;
    for (int first = 0; first < recipients.size(); first += group) {
      int to = Math.min(first + group, recipients.size());
      for (Recipient r : recipients.subList(first, to)) {
        String parameters = TransactionPlan.rcptParameters(r, connection.capabilities());
        writer.command("RCPT TO:<" + r + ">" + parameters);
      }
      boolean dataSent = pipelining && to == recipients.size() && !plan.byBdat();
      if (dataSent) writer.command("DATA");
      boolean mailReplyDue = pipelining && first == 0;
      if (mailReplyDue && isMailRefused(afterOther, to, dataSent)) return false;
      for (int i = first; i < to; i++) readRecipientReply(i);
    }
    return true;
  }

  /**
   * Reads the reply to MAIL. A refusal refuses every recipient; the replies to the RCPT and DATA
   * that have been sent already mean nothing then.
   */
  private boolean isMailRefused(boolean afterOther, int rcptsSent, boolean dataSent)
      throws IOException {
    if (afterOther) {
      Reply reset = connection.readCompletionReply(timeouts.mailFrom());
      if (!reset.positive()) throw new SessionRefusedException(reset, "RSET");
    }
    Reply reply = connection.readCompletionReply(timeouts.mailFrom());
    if (reply.positive()) return false;
    if (isAboutSession(reply)) throw new SessionRefusedException(reply, "MAIL");
    for (int i = 0; i < outcomes.length; i++) outcomes[i] = refused(reply, "MAIL");
    if (reply.code() == SmtpConnection.CLOSING) return true;
    for (int i = 0; i < rcptsSent; i++) connection.readCompletionReply(timeouts.rcptTo());
    if (dataSent && connection.readReply(timeouts.data()).code() == 354) {
      connection.close(); // the server now takes all that follows for content
    }
    return true;
  }

  private void readRecipientReply(int recipient) throws IOException {
    Reply reply = connection.readCompletionReply(timeouts.rcptTo());
    if (reply.positive()) accepted.add(recipient);
    else if (mayBeTooMany(reply) && !accepted.isEmpty()) leftOver.add(recipient);
    else if (isRecipientLimit(reply)) outcomes[recipient] = deferredByLimit(reply);
    else if (isAboutSession(reply)) sequenceErrors.put(recipient, reply);
    else outcomes[recipient] = refused(reply, "RCPT");
  }

  /** Returns whether the recipient may be taken in another transaction (RFC 5321 §4.5.3.1.10). */
  private static boolean mayBeTooMany(Reply reply) {
    return reply.code() == TOO_MANY_RECIPIENTS
        || (reply.code() == TOO_MANY_BY_RFC_821 && reply.status().isEmpty())
        || isRecipientLimit(reply);
  }

  /** Returns whether a permanent reply is certainly about the number of recipients. */
  private static boolean isRecipientLimit(Reply reply) {
    if (!reply.permanentFailure()) return false;
    return reply
        .status()
        .map(status -> status.subject() == 5 && status.detail() == 3)
        .orElseGet(() -> reply.code() == TOO_MANY_BY_RFC_821 && namesRecipients(reply));
  }

  private static boolean namesRecipients(Reply reply) {
    return reply.text().toLowerCase(Locale.ROOT).contains("recipients");
  }

  private Outcome deferredByLimit(Reply reply) {
    String diagnostic = diagnostic(reply) + " (in reply to RCPT)";
    return new Outcome.Deferred(RECIPIENT_LIMIT, diagnostic, connection.peer().toString());
  }

  /** The session is in order where another recipient was accepted: the reply is about this one. */
  private void judgeSequenceErrors() throws SessionRefusedException {
    for (Map.Entry<Integer, Reply> e : sequenceErrors.entrySet()) {
      if (accepted.isEmpty()) throw new SessionRefusedException(e.getValue(), "RCPT");
      outcomes[e.getKey()] = refused(e.getValue(), "RCPT");
    }
  }

  /**
   * Returns whether a permanent reply is about the state of the session or of the transaction, and
   * so says nothing about a recipient: an unknown command, or one out of sequence (RFC 5321 §4.2.2,
   * RFC 3463 X.5.1). A status of another subject says that the code is about something else.
   */
  private static boolean isAboutSession(Reply reply) {
    if (!reply.permanentFailure()) return false;
    EnhancedStatus status = reply.status().orElse(null);
    boolean sessionCode = reply.code() == 500 || reply.code() == 502 || reply.code() == 503;
    if (status == null) return sessionCode;
    return status.subject() == 5 && (status.detail() == 1 || sessionCode);
  }

  private SendResult sendByData(Supplier<InputStream> content, FinalDotGuard dot)
      throws IOException {
    Reply reply = connection.readReply(timeouts.data());
    if (reply.code() != 354) {
      if (reply.positive()) {
        throw new SmtpProtocolException("DATA is answered by", reply.toString());
      }
      return refusedByOne(reply, "DATA");
    }
    if (accepted.isEmpty()) { // the server goes on against RFC 2920 §3.1: there is nothing to send
      connection.close();
      return answered();
    }
    channel.deadlinePerBlock(timeouts.data());
    try (InputStream in = content.get()) {
      SendResult failed = write(in);
      if (failed != null) return failed;
    }
    if (!dot.mayBeSent(accepted.size())) return new SendResult.FinalDotDenied();
    dotSent = true;
    writer.endContent();
    return readFinalReplies("end of DATA");
  }

  /** BDAT, RFC 3030 §2: the content as it is, in chunks; the last chunk is the final dot. */
  private SendResult sendByBdat(Supplier<InputStream> content, FinalDotGuard dot)
      throws IOException {
    byte[] chunk = new byte[CHUNK_SIZE];
    try (InputStream in = content.get()) {
      while (true) {
        int count;
        try {
          count = in.readNBytes(chunk, 0, chunk.length);
        } catch (IOException e) {
          return new SendResult.Unreadable(String.valueOf(e.getMessage()));
        }
        boolean last = count < chunk.length;
        if (last && !dot.mayBeSent(accepted.size())) return new SendResult.FinalDotDenied();
        dotSent = last;
        channel.deadlinePerBlock(timeouts.data());
        writer.command("BDAT " + count + (last ? " LAST" : ""));
        writer.chunk(chunk, count);
        writer.flush();
        if (last) return readFinalReplies("BDAT LAST");
        Reply reply = connection.readCompletionReply(timeouts.finalDot());
        if (!reply.positive()) return refusedByOne(reply, "BDAT");
      }
    }
  }

  /** Null when all was written. A failure of this node's disk must not look like the server's. */
  private @Nullable SendResult write(InputStream content) throws IOException {
    byte[] buffer = new byte[BUFFER_SIZE];
    while (true) {
      int count;
      try {
        count = content.read(buffer, 0, buffer.length);
      } catch (IOException e) {
        return new SendResult.Unreadable(String.valueOf(e.getMessage()));
      }
      if (count < 0) return null;
      writer.content(buffer, 0, count);
    }
  }

  /** Reads one reply for all recipients or, by LMTP, one for each recipient that was accepted. */
  private SendResult readFinalReplies(String command) throws IOException {
    if (connection.peer().lmtp()) {
      readFinalReplyOfEach(command);
      completed = true;
      return answered();
    }
    Reply reply = readFinalReply();
    completed = true;
    return answeredByOne(reply, command);
  }

  /** RFC 2033 §4.2: one reply for each accepted recipient; the replies before a cut count. */
  private void readFinalReplyOfEach(String command) throws IOException {
    for (int recipient : accepted) outcomes[recipient] = outcome(readFinalReply(), command);
  }

  private Reply readFinalReply() throws IOException {
    Reply reply = connection.readReply(timeouts.finalDot());
    if (reply.intermediate()) {
      throw new SmtpProtocolException("the dot is answered by", reply.toString());
    }
    return reply;
  }

  /** A refusal before the final dot. */
  private SendResult refusedByOne(Reply reply, String command) throws SessionRefusedException {
    if (!accepted.isEmpty() && isAboutSession(reply)) {
      throw new SessionRefusedException(reply, command);
    }
    return answeredByOne(reply, command);
  }

  /** One reply decides for every recipient that was accepted by RCPT. */
  private SendResult answeredByOne(Reply reply, String command) {
    Outcome outcome = outcome(reply, command);
    for (int recipient : accepted) outcomes[recipient] = outcome;
    return answered();
  }

  private SendResult answered() {
    List<RecipientOutcome> decided = decided();
    if (decided.size() + leftOver.size() != outcomes.length) {
      throw new IllegalStateException("a recipient has neither an outcome nor is left over");
    }
    return new SendResult.Answered(decided, leftOver, sessionEnds);
  }

  /** The outcomes of the recipients for which the server has replied. */
  List<RecipientOutcome> decided() {
    List<RecipientOutcome> decided = new ArrayList<>(outcomes.length);
    for (int i = 0; i < outcomes.length; i++) {
      Outcome outcome = outcomes[i];
      if (outcome != null) decided.add(new RecipientOutcome(i, outcome));
    }
    return decided;
  }

  /** The recipients that may have received the message: the dot was sent, no reply was read. */
  List<Integer> inDoubt() {
    if (!dotSent) return List.of();
    return accepted.stream().filter(i -> outcomes[i] == null).toList();
  }

  private Outcome outcome(Reply reply, String command) {
    if (!reply.positive()) return refused(reply, command);
    String remote = connection.peer().toString();
    return new Outcome.Delivered(
        reply.status().orElse(OK), diagnostic(reply), remote, successReport());
  }

  private Outcome refused(Reply reply, String command) {
    sessionEnds |= reply.code() == SmtpConnection.CLOSING;
    String diagnostic = diagnostic(reply) + " (in reply to " + command + ")";
    String remote = connection.peer().toString();
    boolean permanent = reply.permanentFailure();
    EnhancedStatus status = reply.status().orElse(new EnhancedStatus(permanent ? 5 : 4, 0, 0));
    return permanent
        ? new Outcome.Failed(status, diagnostic, remote)
        : new Outcome.Deferred(status, diagnostic, remote);
  }

  /** RFC 3461 §5.2.1, §5.2.2: a next hop that received all demands reports by itself. */
  private SuccessReport successReport() {
    boolean timed = envelope.options().deliverBy().isPresent();
    boolean demandsSent =
        connection.supports("DSN") && (!timed || connection.supports("DELIVERBY"));
    if (demandsSent) return SuccessReport.BY_NEXT_HOP;
    return connection.peer().lmtp() ? SuccessReport.DELIVERED : SuccessReport.RELAYED;
  }

  /** The server refuses the session or the transaction, not a recipient. */
  static final class SessionRefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    SessionRefusedException(Reply reply, String command) {
      super(diagnostic(reply) + " (in reply to " + command + ")");
    }
  }

  /** The reply as the server wrote it, with all that is not printable escaped. */
  private static String diagnostic(Reply reply) {
    String quoted = Escape.quoted(reply.toString(), MAX_DIAGNOSTIC);
    return quoted.substring(1, quoted.lastIndexOf('"'));
  }
}
