package org.quorumail.smtp.client;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.quorumail.mail.Recipient;
import org.quorumail.mail.ReversePath;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.smtp.SmtpProtocolException;
import org.quorumail.smtp.SmtpWriter;
import org.quorumail.smtp.client.SendResult.RecipientResult;

/**
 * One transaction on a connection, RFC 5321 §3.3: MAIL, RCPT and the content by DATA or BDAT,
 * pipelined where the server takes that (RFC 2920). Used once, by one thread.
 */
final class MailTransaction {
  /** RCPT commands sent before their replies are read, so that both directions never fill up. */
  private static final int MAX_PIPELINED_RCPTS = 100;

  private static final int BUFFER_SIZE = 16 * 1024; // as much as the writer holds
  private static final int TOO_MANY_RECIPIENTS = 452; // RFC 5321 §4.5.3.1.10
  private static final int CHUNK_SIZE = 64 * 1024; // one answer each; more saves few round trips

  private final SmtpConnection connection;
  private final SmtpChannel channel;
  private final SmtpWriter writer;
  private final TransactionPlan.Sendable plan;
  private final List<Recipient> recipients;
  private final SmtpTimeouts timeouts;
  private boolean completed;

  MailTransaction(
      SmtpConnection connection,
      SmtpChannel line,
      SmtpWriter writer,
      TransactionPlan.Sendable passage,
      List<Recipient> recipients) {
    this.connection = connection;
    this.channel = line;
    this.writer = writer;
    this.plan = passage;
    this.recipients = recipients;
    this.timeouts = connection.timeouts();
  }

  /** Whether the server has said its last word about it, so that the next needs no RSET. */
  boolean completed() {
    return completed;
  }

  /**
   * @param afterOther whether another transaction was begun here and not completed
   * @throws IOException when the session is lost, or the server does not keep to the protocol
   */
  SendResult run(
      ReversePath from, boolean afterOther, Supplier<InputStream> content, FinalDotGuard dot)
      throws IOException {
    boolean pipelining = connection.supports("PIPELINING");
    if (afterOther) writer.command("RSET");
    writer.command("MAIL FROM:<" + from + ">" + plan.parameters());
    boolean mailRead = false;
    List<RecipientResult> results = new ArrayList<>(recipients.size());
    if (!pipelining) {
      Reply refused = refusalOfMail(afterOther);
      if (refused != null) return allRefused(refused);
      mailRead = true;
    }
    int group = pipelining ? MAX_PIPELINED_RCPTS : 1;
    for (int first = 0; first < recipients.size(); first += group) {
      int to = Math.min(first + group, recipients.size());
      for (Recipient r : recipients.subList(first, to)) {
        writer.command(
            "RCPT TO:<" + r + ">" + TransactionPlan.mailParameters(r, connection.capabilities()));
      }
      boolean dataSent = pipelining && to == recipients.size() && !plan.byBdat();
      if (dataSent) writer.command("DATA");
      if (!mailRead) {
        Reply refused = refusalOfMail(afterOther);
        mailRead = true;
        if (refused != null) return allRefusedAfter(refused, to - first, dataSent);
      }
      for (int i = first; i < to; i++) results.add(recipientReply(results));
    }
    boolean anyTaken = results.stream().anyMatch(r -> r instanceof RecipientResult.Accepted);
    if (plan.byBdat()) {
      return anyTaken ? sendByBdat(results, content, dot) : new SendResult.Answered(results);
    }
    if (!pipelining) {
      if (!anyTaken) return new SendResult.Answered(results);
      writer.command("DATA");
    }
    return sendByData(results, anyTaken, content, dot);
  }

  /** The reply to MAIL when it is a refusal, else null; the reply to RSET before it is skipped. */
  private @Nullable Reply refusalOfMail(boolean afterOther) throws IOException {
    if (afterOther) connection.readCompletionReply(timeouts.mailFrom());
    Reply reply = connection.readCompletionReply(timeouts.mailFrom());
    if (!reply.positive()) return reply;
    return null;
  }

  private SendResult allRefused(Reply reply) {
    RecipientResult refused = new RecipientResult.Refused(reply, "MAIL");
    return new SendResult.Answered(Collections.nCopies(recipients.size(), refused));
  }

  /** As above, when RCPT and DATA are on their way already: their replies mean nothing. */
  private SendResult allRefusedAfter(Reply reply, int asked, boolean dataSent) throws IOException {
    if (reply.code() == SmtpConnection.CLOSING) return allRefused(reply);
    for (int i = 0; i < asked; i++) connection.readCompletionReply(timeouts.rcptTo());
    if (dataSent && connection.readReply(timeouts.data()).code() == 354) {
      connection.close(); // what comes next is content
    }
    return allRefused(reply);
  }

  private RecipientResult recipientReply(List<RecipientResult> before) throws IOException {
    Reply reply = connection.readCompletionReply(timeouts.rcptTo());
    if (reply.positive()) return new RecipientResult.Accepted(reply);
    boolean othersTaken = before.stream().anyMatch(r -> r instanceof RecipientResult.Accepted);
    if (reply.code() == TOO_MANY_RECIPIENTS && othersTaken) return new RecipientResult.LeftOver();
    return new RecipientResult.Refused(reply, "RCPT");
  }

  private SendResult sendByData(
      List<RecipientResult> results,
      boolean anyTaken,
      Supplier<InputStream> content,
      FinalDotGuard dot)
      throws IOException {
    Reply reply = connection.readReply(timeouts.data());
    if (reply.code() != 354) {
      if (reply.positive())
        throw new SmtpProtocolException("DATA is answered by", reply.toString());
      return new SendResult.Answered(
          results.stream().map(r -> afterDot(r, reply, "DATA")).toList());
    }
    if (!anyTaken) { // it goes on against RFC 2920 §3.1: there is nothing to send it
      connection.close();
      return new SendResult.Answered(results);
    }
    channel.deadlinePerBlock(timeouts.data());
    try (InputStream in = content.get()) {
      SendResult failed = write(in);
      if (failed != null) return failed;
    }
    if (!dot.mayBeSent(acceptedCount(results))) return new SendResult.FinalDotDenied();
    writer.endContent();
    return new SendResult.Answered(finalReplies(results, "end of DATA"));
  }

  /** BDAT, RFC 3030 §2: the content as it is, in chunks; the last one is the final dot. */
  private SendResult sendByBdat(
      List<RecipientResult> results, Supplier<InputStream> content, FinalDotGuard dot)
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
        if (last && !dot.mayBeSent(acceptedCount(results))) return new SendResult.FinalDotDenied();
        channel.deadlinePerBlock(timeouts.data());
        writer.command("BDAT " + count + (last ? " LAST" : ""));
        writer.chunk(chunk, count);
        writer.flush();
        if (last) return new SendResult.Answered(finalReplies(results, "BDAT LAST"));
        Reply reply = connection.readCompletionReply(timeouts.finalDot());
        if (!reply.positive()) {
          return new SendResult.Answered(
              results.stream().map(r -> afterDot(r, reply, "BDAT")).toList());
        }
      }
    }
  }

  private static int acceptedCount(List<RecipientResult> results) {
    return (int) results.stream().filter(r -> r instanceof RecipientResult.Accepted).count();
  }

  /** Null when all was written; a failure of our own disk must not look like one of the server. */
  private @Nullable SendResult write(InputStream content) throws IOException {
    byte[] piece = new byte[BUFFER_SIZE];
    while (true) {
      int count;
      try {
        count = content.read(piece, 0, piece.length);
      } catch (IOException e) {
        return new SendResult.Unreadable(String.valueOf(e.getMessage()));
      }
      if (count < 0) return null;
      writer.content(piece, 0, count);
    }
  }

  /** One reply for all, or, by LMTP, one for each recipient that was taken. */
  private List<RecipientResult> finalReplies(List<RecipientResult> results, String command)
      throws IOException {
    List<RecipientResult> ends;
    if (connection.peer().lmtp()) {
      ends = finalReplyEach(results, command);
    } else {
      Reply reply = finalReply();
      ends = results.stream().map(r -> afterDot(r, reply, command)).toList();
    }
    completed = true;
    return ends;
  }

  /** RFC 2033 §4.2: one reply for each recipient that was taken; each counts for itself. */
  private List<RecipientResult> finalReplyEach(List<RecipientResult> results, String command)
      throws IOException {
    List<RecipientResult> ends = new ArrayList<>(results.size());
    boolean heard = false;
    RecipientResult lost = null;
    for (RecipientResult r : results) {
      if (!(r instanceof RecipientResult.Accepted)) {
        ends.add(r);
      } else if (lost != null) {
        ends.add(lost);
      } else {
        try {
          ends.add(afterDot(r, finalReply(), command));
          heard = true;
        } catch (IOException e) {
          if (!heard) throw e;
          connection.close();
          lost = new RecipientResult.Lost(connection.connectionLostReason(e));
          ends.add(lost);
        }
      }
    }
    return ends;
  }

  private Reply finalReply() throws IOException {
    Reply reply = connection.readReply(timeouts.finalDot());
    if (reply.intermediate())
      throw new SmtpProtocolException("the dot is answered by", reply.toString());
    return reply;
  }

  private static RecipientResult afterDot(RecipientResult before, Reply reply, String command) {
    if (!(before instanceof RecipientResult.Accepted)) return before;
    return reply.positive()
        ? new RecipientResult.Accepted(reply)
        : new RecipientResult.Refused(reply, command);
  }
}
