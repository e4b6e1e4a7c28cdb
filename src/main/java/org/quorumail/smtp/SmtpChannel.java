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
 * A TCP connection, plain or TLS, with its {@link SmtpReader} and {@link SmtpWriter}; every
 * operation on it has a deadline. A deadline is total: it does not start again with every octet, so
 * a peer cannot hold a session by sending one octet now and then. One thread uses the channel;
 * others may call {@link #close} and {@link #stopReading}.
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
  private @Nullable InetSocketAddress local; // read from the system on the first use
  private Socket activeSocket; // the socket itself, or TLS on it
  private InputStream in;
  private OutputStream out;
  private final SmtpWriter writer = new SmtpWriter(new Output());
  private SmtpReader reader = new SmtpReader(new Input(), writer::flush);
  private long deadline;
  private long perRead = NEVER;

  /** The end of the current operation's time, as nanoTime; NEVER between operations. */
  private volatile long blockedUntil = NEVER;

  private SmtpChannel(Socket socket, Duration lifetime) throws IOException {
    this.socket = socket;
    this.endOfLife = System.nanoTime() + lifetime.toNanos();
    this.deadline = endOfLife;
    this.activeSocket = socket;
    this.remote = (InetSocketAddress) socket.getRemoteSocketAddress();
    this.in = socket.getInputStream();
    this.out = socket.getOutputStream();
  }

  /**
   * Takes over a connected socket, which the watchdog observes until {@link #close}.
   *
   * @param lifetime after which every operation fails, whatever the deadlines say
   */
  public static SmtpChannel open(Socket socket, Duration lifetime) throws IOException {
    socket.setTcpNoDelay(true); // replies are written in one piece; never wait for the peer's ACK
    SmtpChannel channel = new SmtpChannel(socket, lifetime);
    ConnectionWatchdog.watch(channel);
    return channel;
  }

  /** The reader of lines and content; another one after each handshake. */
  public SmtpReader reader() {
    return reader;
  }

  public SmtpWriter writer() {
    return writer;
  }

  public void flush() throws IOException {
    writer.flush();
  }

  /** Sets the time within which all operations up to the next call must end. */
  public void deadline(Duration fromNow) {
    deadline = System.nanoTime() + fromNow.toNanos();
    perRead = NEVER;
  }

  /** Gives each single read or write this time from now on: for content, RFC 5321 §4.5.3.2.5. */
  public void deadlinePerBlock(Duration eachBlock) {
    perRead = eachBlock.toNanos();
  }

  /** The raw input below the reader, with deadlines, for what precedes SMTP on a connection. */
  public InputStream input() {
    return new Input();
  }

  /** Whether the peer has sent octets that are not read yet; RFC 3207 §4.2 forbids them here. */
  public boolean hasUnreadInput() throws IOException {
    return reader.buffered() > 0 || in.available() > 0;
  }

  /** Makes the TLS handshake as the server, within the deadline. */
  public void startTls(ServerTls tls) throws IOException {
    handshake(tls.wrap(socket, ClientHello.read(input())));
    serverTls = tls;
  }

  /**
   * Makes the TLS handshake as a client, within the deadline.
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

  /** Protocol and cipher suite for a log line; null on a plain connection. */
  public @Nullable String tlsDescription() {
    if (!(activeSocket instanceof SSLSocket tls)) return null;
    return tls.getSession().getProtocol() + " " + tls.getSession().getCipherSuite();
  }

  /** The names that the client's certificate proves; empty without a certificate. */
  public Set<CertificateName> clientCertificate() {
    if (serverTls == null || !(activeSocket instanceof SSLSocket tls)) return Set.of();
    return serverTls.clientNames(tls.getSession());
  }

  /** The TLS session, for channel bindings; empty on a plain connection. */
  public Optional<SSLSession> tlsSession() {
    return activeSocket instanceof SSLSocket tls ? Optional.of(tls.getSession()) : Optional.empty();
  }

  /** The client's port, also behind a proxy. */
  public int remotePort() {
    return remote.getPort();
  }

  /** Replaces both addresses by those that a trusted proxy has sent. */
  public void useProxiedAddresses(InetSocketAddress source, InetSocketAddress destination) {
    remote = source;
    local = destination;
  }

  /** The client's address, also behind a proxy. */
  public InetAddress remoteAddress() {
    return remote.getAddress();
  }

  /** The address that the client has called. */
  public InetSocketAddress localAddress() {
    if (local == null) local = (InetSocketAddress) socket.getLocalSocketAddress();
    return local;
  }

  /** Makes a waiting read see the end of input; output still works. Any thread may call it. */
  public void stopReading() {
    try {
      socket.shutdownInput();
    } catch (IOException e) {
      // the socket is closed already, which ends the read too
    }
  }

  /** Closes the socket at once. */
  @Override
  public void close() {
    ConnectionWatchdog.unwatch(this);
    blockedUntil = System.nanoTime();
    closeQuietly(socket);
  }

  /**
   * Sends close_notify on TLS, then closes; only the session's thread may call it. On a plain
   * connection it first discards what still arrives: a socket closed with unread input is reset,
   * and the peer would lose the last reply.
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
      if (in.available() == 0) return;
      socket.shutdownOutput();
      InputStream rest = input();
      byte[] piece = new byte[4096];
      for (int i = 0; i < MAX_LINGER_READS && rest.read(piece) > 0; i++) {}
    } catch (IOException e) {
      // the peer is gone already
    }
  }

  /** Whether the operation in progress has passed its deadline; the watchdog calls it. */
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

  /** The reader is replaced, so that nothing sent in plain text is read as if it came by TLS. */
  private void handshake(SSLSocket secured) throws IOException {
    if (writer.hasUnflushedOutput()) {
      throw new IllegalStateException("a reply in plain text must be flushed before a handshake");
    }
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
    reader = new SmtpReader(new Input(), writer::flush);
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
      // a socket that cannot be closed cannot be used either
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
