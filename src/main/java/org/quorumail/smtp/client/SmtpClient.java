package org.quorumail.smtp.client;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.quorumail.config.Config.SmtpTimeouts;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.Connection;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.TlsContexts;

/** Opens connections: dials, greets, and encrypts when that is offered or required. Thread-safe. */
public final class SmtpClient {
  /** A message of 25 MB over the slowest line that is worth waiting for; bounds every session. */
  private static final Duration LIFETIME = Duration.ofHours(2);

  private static final EnhancedStatus NO_ANSWER = new EnhancedStatus(4, 4, 1);
  private static final EnhancedStatus BAD_CONNECTION = new EnhancedStatus(4, 4, 2);
  private static final EnhancedStatus NOT_ACCEPTING = new EnhancedStatus(4, 3, 2);
  private static final EnhancedStatus NO_ENCRYPTION = new EnhancedStatus(4, 7, 4);

  private final String hostname;
  private final SmtpTimeouts timeouts;
  private final SSLContext verifying;
  private final SSLContext trusting = TlsContexts.opportunisticClient();

  /**
   * @param hostname our name for EHLO, RFC 5321 §4.1.1.1
   */
  public SmtpClient(String hostname, SmtpTimeouts timeouts) {
    this(hostname, timeouts, TlsContexts.verifyingClient());
  }

  SmtpClient(String hostname, SmtpTimeouts timeouts, SSLContext verifying) {
    this.hostname = hostname;
    this.timeouts = timeouts;
    this.verifying = verifying;
  }

  /**
   * Opens a connection; without encryption on a second one, if the first fails in the handshake.
   */
  public Opening open(Peer peer) {
    try {
      return open(peer, true);
    } catch (HandshakeException e) {
      if (peer.tls() != TlsRule.OPPORTUNISTIC) {
        return new Opening.Unusable(NO_ENCRYPTION, "TLS with " + peer + " failed: " + reason(e));
      }
    }
    try {
      return open(peer, false);
    } catch (HandshakeException e) {
      throw new IllegalStateException("a handshake on a connection without TLS", e);
    }
  }

  private Opening open(Peer peer, boolean encrypt) throws HandshakeException {
    Connection line;
    try {
      line = dial(peer);
    } catch (IOException e) {
      return new Opening.Unusable(NO_ANSWER, "cannot connect to " + peer + ": " + reason(e));
    }
    Opening opening = new Opening.Unusable(BAD_CONNECTION, "");
    try {
      opening = introduce(new SmtpConnection(line, peer, timeouts), peer, encrypt);
    } catch (IOException e) {
      opening = new Opening.Unusable(BAD_CONNECTION, "no session with " + peer + ": " + reason(e));
    } finally {
      if (!(opening instanceof Opening.Ready)) line.close();
    }
    return opening;
  }

  private Connection dial(Peer peer) throws IOException {
    Socket socket = new Socket();
    try {
      socket.connect(peer.address(), (int) timeouts.connect().toMillis());
      return new Connection(socket, LIFETIME);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Greeting, EHLO, STARTTLS and EHLO again, RFC 5321 §3.1, §3.2 and RFC 3207 §4. */
  private Opening introduce(SmtpConnection connection, Peer peer, boolean encrypt)
      throws IOException, HandshakeException {
    Reply greeting = connection.greeting();
    if (greeting.code() != 220) return refusal(peer, "greets with", greeting);
    if (isOurName(greeting, peer)) return ourselves(peer);
    Reply hello = connection.hello(hostname);
    if (!hello.positive()) return refusal(peer, "answers EHLO with", hello);
    if (isOurName(hello, peer)) return ourselves(peer);
    if (encrypt && connection.offers("STARTTLS") && connection.startTlsAgreed()) {
      shakeHands(connection, peer);
      hello = connection.hello(hostname);
      if (!hello.positive()) return refusal(peer, "answers EHLO after STARTTLS with", hello);
    }
    if (peer.tls() != TlsRule.OPPORTUNISTIC && !connection.secured()) {
      return new Opening.WithoutTls(peer + " does not offer the TLS that is required");
    }
    return new Opening.Ready(connection);
  }

  private void shakeHands(SmtpConnection connection, Peer peer) throws HandshakeException {
    boolean verify = peer.tls() == TlsRule.VERIFIED;
    try {
      connection.startTls(verify ? verifying : trusting, verify);
    } catch (IOException e) {
      throw new HandshakeException(e);
    }
  }

  private boolean isOurName(Reply reply, Peer peer) {
    if (peer.mayBeOurselves() || peer.lmtp()) return false;
    String first = reply.lines().getFirst().strip();
    int space = first.indexOf(' ');
    return hostname.equalsIgnoreCase(space < 0 ? first : first.substring(0, space));
  }

  private static Opening ourselves(Peer peer) {
    return new Opening.Ourselves("mail loops back to this host: " + peer + " has our name");
  }

  /**
   * A host that refuses to talk, even by 5xx, is passed over like one that does not answer: it says
   * nothing about the recipient, and another host of the domain may take the mail.
   */
  private static Opening refusal(Peer peer, String how, Reply reply) {
    String reason = peer + " " + how + " " + Escape.quoted(reply.toString());
    return new Opening.Unusable(NOT_ACCEPTING, reason);
  }

  static String reason(Exception e) {
    Throwable cause = e.getCause() instanceof IOException io ? io : e;
    if (cause instanceof java.net.SocketTimeoutException) return "no answer in time";
    if (cause instanceof java.io.EOFException) return "it closed the connection";
    String message = cause.getMessage();
    if (message == null) return cause.getClass().getSimpleName();
    return cause instanceof SSLException ? Escape.quoted(message) : message;
  }

  /** Something went wrong between 220 to STARTTLS and the end of the handshake. */
  private static final class HandshakeException extends Exception {
    private static final long serialVersionUID = 1L;

    HandshakeException(IOException cause) {
      super(cause);
    }
  }
}
