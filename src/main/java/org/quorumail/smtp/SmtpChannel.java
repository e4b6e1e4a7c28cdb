package org.quorumail.smtp;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.quorumail.tls.CertificateName;
import org.quorumail.tls.ClientHello;
import org.quorumail.tls.ServerTls;

/**
 * One TCP connection, plain or TLS, on which nothing blocks for ever. A deadline is total: it does
 * not start again with every octet, so a peer cannot hold a session by sending one octet now and
 * then. Used by one thread; {@link #close}, {@link #stopReading} and the watchdog come from others.
 *
 * <p>Reads obey the deadline by themselves and throw {@link SocketTimeoutException}. Writes and TLS
 * handshakes cannot in blocking Java; the {@link ConnectionWatchdog} closes the socket under them.
 */
public final class SmtpChannel implements Closeable {
  private static final long NEVER = Long.MAX_VALUE;
  private static final Duration LINGER = Duration.ofSeconds(2);
  private static final int MAX_LINGER_READS = 256; // 1 MiB at most, then it is reset

  private final Socket socket;
  private final long endOfLife; // nanoTime
  private @Nullable ServerTls serverTls;
  private InetSocketAddress remote;
  private @Nullable InetSocketAddress local; // asked of the system by the few who want it
  private Socket activeSocket; // the socket itself, or TLS on it
  private InputStream in;
  private OutputStream out;
  private long deadline;
  private long perRead = NEVER;

  /** When the operation under way must have ended, as nanoTime; NEVER when none is. */
  private volatile long blockedUntil = NEVER;

  /**
   * @param lifetime after which every operation fails, whatever the deadlines say
   */
  public SmtpChannel(Socket socket, Duration lifetime) throws IOException {
    this.socket = socket;
    this.endOfLife = System.nanoTime() + lifetime.toNanos();
    this.deadline = endOfLife;
    this.activeSocket = socket;
    this.remote = (InetSocketAddress) socket.getRemoteSocketAddress();
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
    socket.setTcpNoDelay(true); // replies are written in one piece; never wait for the peer's ACK
    ConnectionWatchdog.watch(this);
  }

  /** What follows, up to the next call, must be over after this time. */
  public void deadline(Duration fromNow) {
    deadline = System.nanoTime() + fromNow.toNanos();
    perRead = NEVER;
  }

  /** From now on each single read or write has this time: for content, RFC 5321 §4.5.3.2.5. */
  public void deadlinePerBlock(Duration eachBlock) {
    perRead = eachBlock.toNanos();
  }

  /** Reads with deadlines. It goes on working after {@link #startTls}. */
  public InputStream input() {
    return new Input();
  }

  /** Writes with deadlines. It goes on working after {@link #startTls}. */
  public OutputStream output() {
    return new Output();
  }

  /** Octets that have arrived and nobody has read; RFC 3207 §4.2: none may precede a handshake. */
  public boolean hasUnreadInput() throws IOException {
    return in.available() > 0;
  }

  /** Shakes hands as the server, within the deadline. */
  public void startTls(ServerTls tls) throws IOException {
    handshake(tls.wrap(socket, ClientHello.read(input())));
    serverTls = tls;
  }

  /**
   * Shakes hands as a client, within the deadline.
   *
   * @param name the peer's name for SNI, and for its certificate when that is verified
   * @param verify whether the certificate must fit the name; the context decides about its issuer
   */
  public void startTls(SSLContext context, String name, boolean verify) throws IOException {
    SSLSocket secured = tlsSocketOver(context, name, ClientTlsContexts.PROTOCOLS);
    secured.setUseClientMode(true);
    SSLParameters parameters = secured.getSSLParameters();
    if (verify) parameters.setEndpointIdentificationAlgorithm("HTTPS");
    secured.setSSLParameters(parameters);
    handshake(secured);
  }

  public boolean secured() {
    return activeSocket != socket;
  }

  /** Protocol and cipher suite for a log line, or nothing on a plain connection. */
  public @Nullable String tlsDescription() {
    if (!(activeSocket instanceof SSLSocket tls)) return null;
    return tls.getSession().getProtocol() + " " + tls.getSession().getCipherSuite();
  }

  /** Everything that the client's certificate proves it to be; empty without one. */
  public Set<CertificateName> clientCertificate() {
    if (serverTls == null || !(activeSocket instanceof SSLSocket tls)) return Set.of();
    return serverTls.clientNames(tls.getSession());
  }

  /** For channel bindings; empty on a plain connection. */
  public Optional<SSLSession> tlsSession() {
    return activeSocket instanceof SSLSocket tls ? Optional.of(tls.getSession()) : Optional.empty();
  }

  /** The client's, be it behind a proxy. */
  public int remotePort() {
    return remote.getPort();
  }

  /** A trusted proxy has said whose connection this is, and which address that one had called. */
  public void useProxiedAddresses(InetSocketAddress source, InetSocketAddress destination) {
    remote = source;
    local = destination;
  }

  /** The client's, be it behind a proxy. */
  public InetAddress remoteAddress() {
    return remote.getAddress();
  }

  /** The address that the client has called. */
  public InetSocketAddress localAddress() {
    if (local == null) local = (InetSocketAddress) socket.getLocalSocketAddress();
    return local;
  }

  /** Makes a read that waits see the end of input; from any thread. What is written still goes. */
  public void stopReading() {
    try {
      socket.shutdownInput();
    } catch (IOException e) {
      // it is closed already, which is as good
    }
  }

  /** Ends the connection. On TLS it says so first, if that does not block. */
  @Override
  public void close() {
    ConnectionWatchdog.unwatch(this);
    blockedUntil = System.nanoTime();
    closeQuietly(socket);
  }

  /**
   * Says goodbye on TLS (close_notify), then closes; from the session's own thread. Takes in for a
   * moment what is still coming: a socket closed with unread input is reset, and the peer would
   * lose the last reply with it.
   */
  public void closeGracefully() {
    deadline(LINGER);
    if (secured()) {
      beginOperation();
      closeQuietly(activeSocket);
      endOperation();
    } else {
      discardUnread();
    }
    close();
  }

  private void discardUnread() {
    try {
      if (!hasUnreadInput()) return;
      socket.shutdownOutput();
      InputStream rest = input();
      byte[] piece = new byte[4096];
      for (int i = 0; i < MAX_LINGER_READS && rest.read(piece) > 0; i++) {}
    } catch (IOException e) {
      // the peer will not hear us anyway
    }
  }

  /** Called by the watchdog. */
  boolean isOverdue(long now, long graceNanos) {
    long until = blockedUntil;
    return until != NEVER && now - until > graceNanos;
  }

  private SSLSocket tlsSocketOver(SSLContext context, String name, List<String> protocols)
      throws IOException {
    SSLSocket secured =
        (SSLSocket) context.getSocketFactory().createSocket(socket, name, socket.getPort(), true);
    secured.setEnabledProtocols(protocols.toArray(String[]::new));
    return secured;
  }

  private void handshake(SSLSocket secured) throws IOException {
    long until = beginOperation();
    try {
      socket.setSoTimeout(millisUntil(until));
      secured.startHandshake();
    } finally {
      endOperation();
    }
    activeSocket = secured;
    in = secured.getInputStream();
    out = secured.getOutputStream();
  }

  private long beginOperation() {
    long now = System.nanoTime();
    long until = perRead == NEVER ? deadline : now + perRead;
    if (until - endOfLife > 0) until = endOfLife;
    blockedUntil = until == NEVER ? NEVER - 1 : until;
    return until;
  }

  private void endOperation() {
    blockedUntil = NEVER;
  }

  private static int millisUntil(long until) throws SocketTimeoutException {
    long left = (until - System.nanoTime()) / 1_000_000;
    if (left <= 0) throw new SocketTimeoutException("the deadline has passed");
    return (int) Math.min(left, Integer.MAX_VALUE);
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // nothing more can be done with it
    }
  }

  private final class Input extends InputStream {
    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      long until = beginOperation();
      try {
        socket.setSoTimeout(millisUntil(until));
        return in.read(bytes, offset, length);
      } finally {
        endOperation();
      }
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }
  }

  private final class Output extends OutputStream {
    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      beginOperation();
      try {
        out.write(bytes, offset, length);
      } finally {
        endOperation();
      }
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }
  }
}
