package org.quorumail.smtp.client;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.quorumail.config.Config.SmtpTimeouts;
import org.quorumail.smtp.Connection;
import org.quorumail.smtp.ProtocolException;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.smtp.SmtpWriter;

/**
 * An open connection to a next hop: its beginning, its transactions one after the other (each an
 * {@link Exchange}), its end. Used by one thread at a time.
 */
public final class SmtpConnection implements AutoCloseable {
  static final int CLOSING = 421;

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

  SmtpTimeouts timeouts() {
    return timeouts;
  }

  Offer offer() {
    return offer;
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
      boolean afterOther = resetFirst;
      resetFirst = true;
      Exchange exchange = new Exchange(this, line, writer, passage, transaction.recipients());
      SendResult result = exchange.run(transaction.reversePath(), afterOther, fitting, dot);
      if (exchange.completed()) resetFirst = false;
      if (!(result instanceof SendResult.Answered)) close();
      return result;
    } catch (IOException e) {
      close();
      return new SendResult.Broken(lostSession(e), !answered);
    }
  }

  /** In a sentence. */
  String lostSession(IOException e) {
    return "lost the session with " + peer + ": " + SmtpClient.reason(e);
  }

  /** A reply to a command for which 3xx makes no sense (RFC 5321 §4.3.2). */
  Reply answer(Duration timeout) throws IOException {
    Reply reply = read(timeout);
    if (reply.intermediate()) throw new ProtocolException("unexpected reply", reply.toString());
    return reply;
  }

  /** The next reply; when it is a farewell, nothing more can be asked. */
  Reply read(Duration timeout) throws IOException {
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
