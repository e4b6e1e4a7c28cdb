package org.quorumail.smtp.client;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.quorumail.config.Config.SmtpTimeouts;
import org.quorumail.mail.Recipient;
import org.quorumail.smtp.Connection;
import org.quorumail.smtp.ProtocolException;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.smtp.SmtpWriter;
import org.quorumail.smtp.client.SendResult.RecipientResult;

/** An open connection to a next hop. Used by one thread at a time. */
public final class SmtpConnection implements AutoCloseable {
  /** RCPT commands sent before their replies are read, so that both directions never fill up. */
  private static final int GROUP = 100;

  private static final int PIECE = 16 * 1024; // as much as the writer holds
  private static final int TOO_MANY_RECIPIENTS = 452; // RFC 5321 §4.5.3.1.10
  private static final int CLOSING = 421;
  private static final int CHUNK = 64 * 1024; // one answer each; more saves few round trips

  private final Connection line;
  private final Peer peer;
  private final SmtpTimeouts timeouts;
  private final SmtpWriter writer;
  private SmtpReader reader;
  private Offer offer = Offer.NOTHING;
  private boolean resetFirst; // a transaction was begun and not completed
  private boolean open = true;
  private boolean answered; // the server has said something in this transaction
  private int transactions;
  private final long openedNanos = System.nanoTime();

  SmtpConnection(Connection line, Peer peer, SmtpTimeouts timeouts) {
    this.line = line;
    this.peer = peer;
    this.timeouts = timeouts;
    this.writer = new SmtpWriter(line.output());
    this.reader = new SmtpReader(line.input(), writer::flush);
  }

  public Peer peer() {
    return peer;
  }

  public boolean secured() {
    return line.secured();
  }

  /** Transactions begun so far. */
  public int transactions() {
    return transactions;
  }

  public Duration age() {
    return Duration.ofNanos(System.nanoTime() - openedNanos);
  }

  /**
   * Whether another transaction may be tried: nothing failed, the server sent no farewell and set
   * no limit.
   */
  public boolean usable() {
    if (transactions >= offer.maxTransactions()) return false; // RFC 9422, MAILMAX
    try {
      return open && reader.buffered() == 0 && !line.unreadInput();
    } catch (IOException e) {
      return false;
    }
  }

  Reply greeting() throws IOException {
    return read(timeouts.connect());
  }

  /** EHLO, else HELO; LHLO for LMTP. Remembers what the server offers. */
  Reply hello(String hostname) throws IOException {
    offer = Offer.NOTHING;
    writer.command((peer.lmtp() ? "LHLO " : "EHLO ") + hostname);
    Reply reply = read(timeouts.ehlo());
    if (reply.positive()) {
      offer = Offer.of(reply);
      return reply;
    }
    if (peer.lmtp() || !reply.permanentFailure()) return reply;
    writer.command("HELO " + hostname); // RFC 5321 §3.2
    return read(timeouts.ehlo());
  }

  /** Whether the server has offered the extension. */
  public boolean offers(String extension) {
    return offer.has(extension);
  }

  /** Recipients that the server takes in one transaction, as far as it says so (RFC 9422). */
  public int maxRecipients() {
    return offer.maxRecipients();
  }

  /** Domains of recipients that the server takes in one transaction (RFC 9422). */
  public int maxRecipientDomains() {
    return offer.maxRecipientDomains();
  }

  boolean startTlsAgreed() throws IOException {
    writer.command("STARTTLS");
    return read(timeouts.starttls()).code() == 220;
  }

  void startTls(SSLContext context, boolean verify) throws IOException {
    if (reader.buffered() > 0 || line.unreadInput()) {
      throw new ProtocolException("text was sent ahead of the handshake", "");
    }
    line.deadline(timeouts.starttls());
    line.startTls(context, peer.name(), verify);
    reader = new SmtpReader(line.input(), writer::flush);
  }

  /**
   * One transaction, RFC 5321 §3.3. Afterwards the connection takes the next one if {@link
   * #usable}.
   */
  public SendResult send(Transaction transaction, Supplier<InputStream> content, FinalDot dot) {
    transactions++;
    answered = false;
    boolean verified = secured() && peer.tls() == TlsRule.VERIFIED;
    Passage.Open passage;
    try {
      long now = System.currentTimeMillis();
      switch (Passage.of(transaction, content, offer, peer, verified, now)) {
        case Passage.Blocked blocked -> {
          return new SendResult.Unsuitable(blocked.status(), blocked.reason());
        }
        case Passage.Open open -> passage = open;
      }
    } catch (IOException e) {
      close();
      return new SendResult.Unreadable(String.valueOf(e.getMessage()));
    }
    Supplier<InputStream> fitting =
        () -> passage.conversion().map(c -> c.of(content.get())).orElseGet(content);
    try {
      SendResult result = transact(transaction, passage, fitting, dot);
      if (!(result instanceof SendResult.Answered)) close();
      return result;
    } catch (IOException e) {
      close();
      return new SendResult.Broken(lostSession(e), !answered);
    }
  }

  private SendResult transact(
      Transaction t, Passage.Open passage, Supplier<InputStream> content, FinalDot dot)
      throws IOException {
    boolean pipelining = offers("PIPELINING");
    boolean resetSent = resetFirst;
    if (resetFirst) writer.command("RSET");
    resetFirst = true;
    writer.command("MAIL FROM:<" + t.reversePath() + ">" + passage.parameters());
    boolean mailRead = false;
    List<RecipientResult> results = new ArrayList<>(t.recipients().size());
    if (!pipelining) {
      Reply refused = refusalOfMail(resetSent);
      if (refused != null) return allRefused(t, refused);
      mailRead = true;
    }
    int group = pipelining ? GROUP : 1;
    for (int from = 0; from < t.recipients().size(); from += group) {
      int to = Math.min(from + group, t.recipients().size());
      for (Recipient r : t.recipients().subList(from, to)) {
        writer.command("RCPT TO:<" + r + ">" + Passage.parameters(r, offer));
      }
      boolean dataSent = pipelining && to == t.recipients().size() && !passage.chunks();
      if (dataSent) writer.command("DATA");
      if (!mailRead) {
        Reply refused = refusalOfMail(resetSent);
        mailRead = true;
        if (refused != null) return allRefusedAfter(t, refused, to - from, dataSent);
      }
      for (int i = from; i < to; i++) results.add(recipientReply(results));
    }
    boolean anyTaken = results.stream().anyMatch(r -> r instanceof RecipientResult.Accepted);
    if (passage.chunks()) {
      return anyTaken ? chunks(results, content, dot) : new SendResult.Answered(results);
    }
    if (!pipelining) {
      if (!anyTaken) return new SendResult.Answered(results);
      writer.command("DATA");
    }
    return data(results, anyTaken, content, dot);
  }

  /** The reply to MAIL when it is a refusal, else null; the reply to RSET before it is skipped. */
  private @Nullable Reply refusalOfMail(boolean resetSent) throws IOException {
    if (resetSent) answer(timeouts.mailFrom());
    Reply reply = answer(timeouts.mailFrom());
    if (!reply.positive()) return reply;
    return null;
  }

  private SendResult allRefused(Transaction t, Reply reply) {
    RecipientResult refused = new RecipientResult.Refused(reply, "MAIL");
    return new SendResult.Answered(Collections.nCopies(t.recipients().size(), refused));
  }

  /** As above, when RCPT and DATA are on their way already: their replies mean nothing. */
  private SendResult allRefusedAfter(Transaction t, Reply reply, int recipients, boolean dataSent)
      throws IOException {
    if (reply.code() == CLOSING) return allRefused(t, reply);
    for (int i = 0; i < recipients; i++) answer(timeouts.rcptTo());
    if (dataSent && read(timeouts.data()).code() == 354) close(); // what comes next is content
    return allRefused(t, reply);
  }

  private RecipientResult recipientReply(List<RecipientResult> before) throws IOException {
    Reply reply = answer(timeouts.rcptTo());
    if (reply.positive()) return new RecipientResult.Accepted(reply);
    boolean othersTaken = before.stream().anyMatch(r -> r instanceof RecipientResult.Accepted);
    if (reply.code() == TOO_MANY_RECIPIENTS && othersTaken) return new RecipientResult.LeftOver();
    return new RecipientResult.Refused(reply, "RCPT");
  }

  private SendResult data(
      List<RecipientResult> results, boolean anyTaken, Supplier<InputStream> content, FinalDot dot)
      throws IOException {
    Reply reply = read(timeouts.data());
    if (reply.code() != 354) {
      if (reply.positive()) throw new ProtocolException("DATA is answered by", reply.toString());
      return new SendResult.Answered(
          results.stream().map(r -> afterDot(r, reply, "DATA")).toList());
    }
    if (!anyTaken) { // it goes on against RFC 2920 §3.1: there is nothing to send it
      close();
      return new SendResult.Answered(results);
    }
    line.deadlinePerBlock(timeouts.data());
    try (InputStream in = content.get()) {
      SendResult failed = write(in);
      if (failed != null) return failed;
    }
    if (!dot.allowed(taken(results))) return new SendResult.Abandoned();
    writer.endContent();
    return new SendResult.Answered(finalReplies(results, "end of DATA"));
  }

  /** BDAT, RFC 3030 §2: the content as it is, in chunks; the last one is the final dot. */
  private SendResult chunks(
      List<RecipientResult> results, Supplier<InputStream> content, FinalDot dot)
      throws IOException {
    byte[] chunk = new byte[CHUNK];
    try (InputStream in = content.get()) {
      while (true) {
        int count;
        try {
          count = in.readNBytes(chunk, 0, chunk.length);
        } catch (IOException e) {
          return new SendResult.Unreadable(String.valueOf(e.getMessage()));
        }
        boolean last = count < chunk.length;
        if (last && !dot.allowed(taken(results))) return new SendResult.Abandoned();
        line.deadlinePerBlock(timeouts.data());
        writer.command("BDAT " + count + (last ? " LAST" : ""));
        writer.chunk(chunk, count);
        writer.flush();
        if (last) return new SendResult.Answered(finalReplies(results, "BDAT LAST"));
        Reply reply = answer(timeouts.finalDot());
        if (!reply.positive()) {
          return new SendResult.Answered(
              results.stream().map(r -> afterDot(r, reply, "BDAT")).toList());
        }
      }
    }
  }

  private static int taken(List<RecipientResult> results) {
    return (int) results.stream().filter(r -> r instanceof RecipientResult.Accepted).count();
  }

  /** Null when all was written; a failure of our own disk must not look like one of the server. */
  private @Nullable SendResult write(InputStream content) throws IOException {
    byte[] piece = new byte[PIECE];
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

  private List<RecipientResult> finalReplies(List<RecipientResult> results, String command)
      throws IOException {
    List<RecipientResult> ends;
    if (peer.lmtp()) {
      ends = finalReplyEach(results, command);
    } else {
      Reply reply = finalReply();
      ends = results.stream().map(r -> afterDot(r, reply, command)).toList();
    }
    resetFirst = false;
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
          close();
          lost = new RecipientResult.Lost(lostSession(e));
          ends.add(lost);
        }
      }
    }
    return ends;
  }

  private String lostSession(IOException e) {
    return "lost the session with " + peer + ": " + SmtpClient.reason(e);
  }

  private Reply finalReply() throws IOException {
    Reply reply = read(timeouts.finalDot());
    if (reply.intermediate())
      throw new ProtocolException("the dot is answered by", reply.toString());
    return reply;
  }

  private static RecipientResult afterDot(RecipientResult before, Reply reply, String command) {
    if (!(before instanceof RecipientResult.Accepted)) return before;
    return reply.positive()
        ? new RecipientResult.Accepted(reply)
        : new RecipientResult.Refused(reply, command);
  }

  /** A reply to a command for which 3xx makes no sense (RFC 5321 §4.3.2). */
  private Reply answer(Duration timeout) throws IOException {
    Reply reply = read(timeout);
    if (reply.intermediate()) throw new ProtocolException("unexpected reply", reply.toString());
    return reply;
  }

  private Reply read(Duration timeout) throws IOException {
    line.deadline(timeout);
    Reply reply = reader.readReply();
    if (reply.code() == CLOSING) {
      open = false; // §3.8: the server ends the session whatever was asked
      if (!answered && transactions > 1)
        throw new EOFException("the server had closed the session");
    }
    answered = true;
    return reply;
  }

  /** QUIT, if the server still listens, and the end. */
  public void quit() {
    if (!open) {
      close();
      return;
    }
    try {
      writer.command("QUIT");
      read(timeouts.quit());
    } catch (IOException e) {
      // the session was over anyway
    } finally {
      open = false;
      line.closeOrderly();
    }
  }

  /** Ends the connection without another word. */
  @Override
  public void close() {
    open = false;
    line.close();
  }
}
