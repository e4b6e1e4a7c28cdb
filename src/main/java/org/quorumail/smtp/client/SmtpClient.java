package org.quorumail.smtp.client;

import java.io.IOException;
import java.net.Socket;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.quorumail.mail.EnhancedStatus;
import org.quorumail.smtp.ClientTlsContexts;
import org.quorumail.smtp.Escape;
import org.quorumail.smtp.Reply;
import org.quorumail.smtp.SmtpChannel;

/**
 * Opens connections: connects, reads the greeting, sends EHLO, encrypts when that is offered or
 * required, and logs in where the endpoint has a login. Thread-safe.
 */
public final class SmtpClient {
  /** Bounds every session: enough for 25 MB over the slowest connection that is worth the wait. */
  private static final Duration LIFETIME = Duration.ofHours(2);

  private static final EnhancedStatus NO_ANSWER = new EnhancedStatus(4, 4, 1);
  private static final EnhancedStatus BAD_CONNECTION = new EnhancedStatus(4, 4, 2);
  private static final EnhancedStatus NOT_ACCEPTING = new EnhancedStatus(4, 3, 2);
  private static final EnhancedStatus NO_ENCRYPTION = new EnhancedStatus(4, 7, 4);

  private final String hostname;
  private final SmtpTimeouts timeouts;
  private final SSLContext verifyingContext;
  private final SSLContext trustingContext = ClientTlsContexts.opportunisticClient();

  /**
   * @param hostname the name of this node for EHLO, RFC 5321 §4.1.1.1
   */
  public SmtpClient(String hostname, SmtpTimeouts timeouts) {
    this(hostname, timeouts, ClientTlsContexts.verifyingClient());
  }

  /**
   * @param verifying the context where a certificate is verified: it has the trusted issuers
   */
  public SmtpClient(String hostname, SmtpTimeouts timeouts, SSLContext verifying) {
    this.hostname = hostname;
    this.timeouts = timeouts;
    this.verifyingContext = verifying;
  }

  /**
   * The result of a call of one host.
   *
   * @param unreachable the addresses that did not answer before the last one
   * @param peer the last address that was tried
   */
  public record HostResult(
      List<ServerEndpoint> unreachable, ServerEndpoint peer, ConnectResult result) {
    public HostResult {
      unreachable = List.copyOf(unreachable);
    }
  }

  /** Opens a connection to one address. */
  public ConnectResult open(ServerEndpoint peer) {
    return open(List.of(peer), new Dial()).result();
  }

  /**
   * Opens a connection to the first address of a host that answers. If the session dies anywhere
   * between STARTTLS and the EHLO after the handshake, and TLS is not required, it opens a second
   * one without TLS (RFC 7435).
   *
   * @param peers at least one, in the order in which they are called
   * @param dial aborts it
   */
  public HostResult open(List<ServerEndpoint> peers, Dial dial) {
    ServerEndpoint first = peers.getFirst();
    try {
      if (first.address() instanceof UnixDomainSocketAddress path)
        return new HostResult(List.of(), first, openUnix(first, path));
      ConnectionRace race = new ConnectionRace(timeouts.connect(), dial);
      ConnectionRace.Winner winner = race.run(peers);
      List<ServerEndpoint> failed = new ArrayList<>(race.failures().keySet());
      if (winner != null) return new HostResult(failed, winner.peer(), talk(winner, dial));
      ServerEndpoint last = failed.isEmpty() ? first : failed.removeLast();
      IOException reason = race.failures().getOrDefault(last, new IOException("aborted"));
      return new HostResult(failed, last, cannotConnect(last, reason));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new HostResult(List.of(), first, cannotConnect(first, new IOException("interrupted")));
    } finally {
      dial.ended();
    }
  }

  private ConnectResult openUnix(ServerEndpoint peer, UnixDomainSocketAddress path) {
    try {
      return talk(peer, UnixSocket.connect(path), false);
    } catch (IOException e) {
      return cannotConnect(peer, e);
    } catch (HandshakeException e) {
      throw new IllegalStateException("a handshake on a connection without TLS", e);
    }
  }

  private ConnectResult talk(ConnectionRace.Winner winner, Dial dial) {
    ServerEndpoint peer = winner.peer();
    dial.connected(winner.socket());
    try {
      return talk(peer, winner.socket(), true);
    } catch (HandshakeException e) {
      if (peer.tls() != TlsRule.OPPORTUNISTIC) {
        return new ConnectResult.Unusable(
            NO_ENCRYPTION, "TLS with " + peer + " failed: " + reason(e));
      }
    }
    try {
      Socket second = connectAgain(peer, dial);
      return talk(peer, second, false);
    } catch (IOException e) {
      return cannotConnect(peer, e);
    } catch (HandshakeException e) {
      throw new IllegalStateException("a handshake on a connection without TLS", e);
    }
  }

  private Socket connectAgain(ServerEndpoint peer, Dial dial) throws IOException {
    Socket socket = new Socket();
    try {
      dial.opened(socket);
      socket.connect(peer.address(), (int) timeouts.connect().toMillis());
      dial.connected(socket);
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  private static ConnectResult cannotConnect(ServerEndpoint peer, IOException e) {
    return new ConnectResult.Unusable(NO_ANSWER, "cannot connect to " + peer + ": " + reason(e));
  }

  private ConnectResult talk(ServerEndpoint peer, Socket socket, boolean encrypt)
      throws HandshakeException {
    ConnectResult result = new ConnectResult.Unusable(BAD_CONNECTION, "");
    try {
      SmtpChannel channel = SmtpChannel.open(socket, LIFETIME);
      try {
        result = beginSession(new SmtpConnection(channel, peer, timeouts), peer, encrypt);
      } finally {
        if (!(result instanceof ConnectResult.Connected)) channel.close();
      }
    } catch (IOException e) {
      closeQuietly(socket);
      result =
          new ConnectResult.Unusable(BAD_CONNECTION, "no session with " + peer + ": " + reason(e));
    }
    return result;
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // it is not used any more
    }
  }

  /**
   * Begins the session: greeting, EHLO, STARTTLS, EHLO, AUTH (RFC 5321 §3.1, §3.2, RFC 3207 §4).
   */
  private ConnectResult beginSession(
      SmtpConnection connection, ServerEndpoint peer, boolean encrypt)
      throws IOException, HandshakeException {
    Reply greeting = connection.readGreeting();
    if (greeting.code() != 220) return refusal(peer, "greets with", greeting);
    if (isOwnName(greeting, peer)) return mailLoop(peer);
    Reply hello = connection.sendHello(hostname);
    if (!hello.positive()) return refusal(peer, "answers EHLO with", hello);
    if (isOwnName(hello, peer)) return mailLoop(peer);
    if (encrypt && connection.supports("STARTTLS")) encrypt(connection, peer);
    if (peer.tls() != TlsRule.OPPORTUNISTIC && !connection.secured()) {
      return new ConnectResult.TlsNotOffered(peer + " does not offer the TLS that is required");
    }
    ConnectResult problem =
        peer.login() == null ? null : new ClientAuthentication(connection, peer.login()).run();
    return problem != null ? problem : new ConnectResult.Connected(connection);
  }

  /** STARTTLS, the handshake, EHLO. A server that refuses STARTTLS keeps the session. */
  private void encrypt(SmtpConnection connection, ServerEndpoint peer) throws HandshakeException {
    boolean verify = peer.tls() == TlsRule.VERIFIED;
    try {
      if (connection.requestStartTls()) {
        connection.startTls(verify ? verifyingContext : trustingContext, verify);
      }
      // after a refusal too: a server that closes now must not lose the mail of this session
      Reply hello = connection.sendHello(hostname);
      if (!hello.positive()) {
        throw new IOException("EHLO is answered by " + Escape.quoted(hello.toString()));
      }
    } catch (IOException e) {
      throw new HandshakeException(e);
    }
  }

  private boolean isOwnName(Reply reply, ServerEndpoint peer) {
    if (peer.configured() || peer.lmtp()) return false;
    String first = reply.lines().getFirst().strip();
    int space = first.indexOf(' ');
    return hostname.equalsIgnoreCase(space < 0 ? first : first.substring(0, space));
  }

  private static ConnectResult mailLoop(ServerEndpoint peer) {
    return new ConnectResult.MailLoop(
        "mail loops back to this host: " + peer + " has the name of this host");
  }

  /**
   * A host that refuses the session, even by 5xx, counts as one that does not answer: its reply
   * says nothing about the recipient, and another host of the domain may take the mail.
   */
  private static ConnectResult refusal(ServerEndpoint peer, String how, Reply reply) {
    String reason = peer + " " + how + " " + Escape.quoted(reply.toString());
    return new ConnectResult.Unusable(NOT_ACCEPTING, reason);
  }

  static String reason(Exception e) {
    Throwable cause = e.getCause() instanceof IOException io ? io : e;
    if (cause instanceof java.net.SocketTimeoutException) return "no answer in time";
    if (cause instanceof java.io.EOFException) return "it closed the connection";
    String message = cause.getMessage();
    if (message == null) return cause.getClass().getSimpleName();
    return cause instanceof SSLException ? Escape.quoted(message) : message;
  }

  /** A failure between STARTTLS and the EHLO after the handshake. */
  private static final class HandshakeException extends Exception {
    private static final long serialVersionUID = 1L;

    HandshakeException(IOException cause) {
      super(cause);
    }
  }
}
