package org.quorumail.smtp.client;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSession;
import org.quorumail.smtp.NextHopLimits;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpChannel;
import org.quorumail.smtp.SmtpProtocolException;
import org.quorumail.smtp.SmtpReader;
import org.quorumail.smtp.SmtpWriter;

/**
 * An open connection to a next hop, from its greeting over its transactions (each a {@link
 * MailTransaction}) to QUIT. Used by one thread at a time.
 */
public final class SmtpConnection implements AutoCloseable {
  static final int CLOSING = 421;

  private final SmtpChannel channel;
  private final ServerEndpoint peer;
  private final SmtpTimeouts timeouts;
  private final SmtpWriter writer;
  private SmtpReader reader;
  private EhloCapabilities capabilities = EhloCapabilities.NONE;
  private boolean resetFirst; // a transaction was begun and not completed
  private boolean open = true;
  private boolean replyRead; // the server has sent a reply in this transaction
  private int transactions;
  private final long openedNanos = System.nanoTime();

  SmtpConnection(SmtpChannel channel, ServerEndpoint peer, SmtpTimeouts timeouts) {
    this.channel = channel;
    this.peer = peer;
    this.timeouts = timeouts;
    this.writer = channel.writer();
    this.reader = channel.reader();
  }

  public ServerEndpoint peer() {
    return peer;
  }

  public boolean secured() {
    return channel.secured();
  }

  /** Protocol and cipher suite; empty for a plain connection. */
  public String tls() {
    String description = channel.tlsDescription();
    return description == null ? "" : description;
  }

  /** The number of transactions begun so far. */
  public int transactions() {
    return transactions;
  }

  public Duration age() {
    return Duration.ofNanos(System.nanoTime() - openedNanos);
  }

  /**
   * Returns whether another transaction may be tried: nothing has failed, and the server has
   * neither sent 421 nor reached its limit.
   */
  public boolean isUsable() {
    if (transactions >= capabilities.maxTransactions()) return false; // RFC 9422, MAILMAX
    try {
      return open && reader.buffered() == 0 && !channel.hasUnreadInput();
    } catch (IOException e) {
      return false;
    }
  }

  Reply readGreeting() throws IOException {
    return readReply(timeouts.connect());
  }

  /** Sends EHLO, then HELO if it is unknown; LHLO for LMTP. Stores the offered extensions. */
  Reply sendHello(String hostname) throws IOException {
    capabilities = EhloCapabilities.NONE;
    writer.command((peer.lmtp() ? "LHLO " : "EHLO ") + hostname);
    Reply reply = readReply(timeouts.ehlo());
    if (reply.positive()) {
      capabilities = EhloCapabilities.parse(reply);
      return reply;
    }
    if (peer.lmtp() || !reply.permanentFailure()) return reply;
    writer.command("HELO " + hostname); // RFC 5321 §3.2
    return readReply(timeouts.ehlo());
  }

  SmtpTimeouts timeouts() {
    return timeouts;
  }

  EhloCapabilities capabilities() {
    return capabilities;
  }

  /** Returns whether the server offers the extension. */
  public boolean supports(String extension) {
    return capabilities.supports(extension);
  }

  /** The limits for a message that the server gave. */
  public NextHopLimits limits() {
    return new NextHopLimits(capabilities.maxSize(), capabilities.supports("SMTPUTF8"));
  }

  /** The most recipients of one transaction (RFC 9422); MAX_VALUE without a limit. */
  public int maxRecipients() {
    return capabilities.maxRecipients();
  }

  /** The most recipient domains of one transaction (RFC 9422); MAX_VALUE without a limit. */
  public int maxRecipientDomains() {
    return capabilities.maxRecipientDomains();
  }

  /** Sends one line of AUTH and reads the reply to it. */
  Reply exchange(String line) throws IOException {
    writer.command(line);
    return readReply(timeouts.ehlo());
  }

  Optional<SSLSession> tlsSession() {
    return channel.tlsSession();
  }

  /** False when the server refuses it and goes on with the session. */
  boolean requestStartTls() throws IOException {
    if (reader.buffered() > 0) {
      throw new SmtpProtocolException("a reply was sent ahead of its command", "");
    }
    writer.command("STARTTLS");
    Reply reply = readReply(timeouts.starttls());
    if (reply.code() == CLOSING) throw new EOFException("the server closes the session");
    return reply.code() == 220;
  }

  void startTls(SSLContext context, boolean verify) throws IOException {
    if (reader.buffered() > 0 || channel.hasUnreadInput()) {
      throw new SmtpProtocolException("text was sent ahead of the handshake", "");
    }
    channel.deadline(timeouts.starttls());
    List<String> names = peer.certificateNames();
    channel.startTls(context, peer.name(), verify && names.isEmpty());
    if (verify && !names.isEmpty()) CertificateNames.check(tlsSession().orElseThrow(), names);
    reader = channel.reader();
  }

  /**
   * Sends one message in one transaction, RFC 5321 §3.3. Afterwards the connection takes the next
   * one if {@link #isUsable}.
   */
  public SendResult send(OutgoingMessage message, FinalDotGuard dot) {
    transactions++;
    replyRead = false;
    boolean verified = secured() && peer.tls() == TlsRule.VERIFIED;
    long now = System.currentTimeMillis();
    try {
      return switch (TransactionPlan.of(message, capabilities, peer, verified, now)) {
        case TransactionPlan.NotSendable not ->
            new SendResult.NotSendable(not.status(), not.reason());
        case TransactionPlan.Sendable plan -> send(message, plan, dot);
      };
    } catch (IOException e) {
      close();
      return new SendResult.Unreadable(String.valueOf(e.getMessage()));
    }
  }

  private SendResult send(
      OutgoingMessage message, TransactionPlan.Sendable plan, FinalDotGuard dot) {
    boolean afterOther = resetFirst;
    resetFirst = true;
    MailTransaction transaction =
        new MailTransaction(this, channel, writer, plan, message.envelope());
    try {
      SendResult result = transaction.run(afterOther, content(message, plan), dot);
      if (transaction.completed()) resetFirst = false;
      if (!(result instanceof SendResult.Answered)) close();
      return result;
    } catch (IOException e) {
      close();
      boolean refused = e instanceof MailTransaction.SessionRefusedException;
      boolean stale = transactions > 1 && (refused || !replyRead);
      return new SendResult.Broken(
          connectionLostReason(e), stale, transaction.decided(), transaction.inDoubt());
    }
  }

  private static Supplier<InputStream> content(
      OutgoingMessage message, TransactionPlan.Sendable plan) {
    Supplier<InputStream> received = message.content();
    return plan.conversion().isEmpty()
        ? received
        : () -> plan.conversion().get().convert(received.get());
  }

  String connectionLostReason(IOException e) {
    return "lost the session with " + peer + ": " + SmtpClient.reason(e);
  }

  /** Reads the reply to a command for which 3xx makes no sense (RFC 5321 §4.3.2). */
  Reply readCompletionReply(Duration timeout) throws IOException {
    Reply reply = readReply(timeout);
    if (reply.intermediate()) throw new SmtpProtocolException("unexpected reply", reply.toString());
    return reply;
  }

  /** Reads the next reply; after 421 no command can follow. */
  Reply readReply(Duration timeout) throws IOException {
    channel.deadline(timeout);
    Reply reply = reader.readReply();
    if (reply.code() == CLOSING) {
      open = false; // §3.8: the server ends the session, whatever the command was
      if (!replyRead && transactions > 1)
        throw new EOFException("the server had closed the session");
    }
    replyRead = true;
    return reply;
  }

  /** Sends QUIT if the session is still open, and closes the connection. */
  public void quit() {
    if (!open) {
      close();
      return;
    }
    try {
      writer.command("QUIT");
      readReply(timeouts.quit());
    } catch (IOException e) {
      // the session was over already
    } finally {
      open = false;
      channel.closeGracefully();
    }
  }

  /** Closes the connection without QUIT. */
  @Override
  public void close() {
    open = false;
    channel.close();
  }
}
