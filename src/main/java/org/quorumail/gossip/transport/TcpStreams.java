package org.quorumail.gossip.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.transport.SealedStream.AuthenticationFailure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TCP side of {@link SealedTransport}: accepts, connects, and keeps one session per peer
 * address. Threads, all virtual: one accepts; each connection has a reader and a writer; one closes
 * stuck writers and unauthenticated connections.
 */
final class TcpStreams implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TcpStreams.class);

  /** Several times the burst of neighbours that connect after a restart. */
  static final int MAX_UNAUTHENTICATED = 64;

  /** The neighbours and a push-pull now and then; 10,000 members never call one at once. */
  private static final int MAX_OPEN = 1_024;

  /** Each takes up to 4 MiB, and 8 MiB more while it is decompressed. */
  private static final int MAX_LONG_FRAMES = 4;

  /** The limit for connecting, and for the other end's proof. */
  private static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(3);

  /** The limit for writing one frame: the largest takes this at 4 Mbit/s. */
  private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(10);

  /** A stream that receives nothing for this time is closed; the next message opens another. */
  private static final Duration IDLE_TIMEOUT = StreamSession.KEEP_ALIVE_INTERVAL.multipliedBy(3);

  private final ServerSocket server;
  private final Handshakes handshakes;
  private final Transport.Receiver receiver;
  private final Compression compression;
  private final Map<NodeAddress, StreamSession> sessions = new ConcurrentHashMap<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Semaphore longFrames = new Semaphore(MAX_LONG_FRAMES);

  /**
   * One stream decompresses at a time: a compromised member can pack megabytes into hundreds of
   * bytes, and must not occupy all processors.
   */
  private final Semaphore decompression = new Semaphore(1, true);

  private final UnauthenticatedConnections unauthenticated =
      new UnauthenticatedConnections(MAX_UNAUTHENTICATED, HANDSHAKE_TIMEOUT);

  /** Connections that this node opened, whose other end has not proven the secret yet. */
  private final UnauthenticatedConnections unproven =
      new UnauthenticatedConnections(MAX_OPEN, HANDSHAKE_TIMEOUT);

  private volatile boolean closed;

  /** The proof of the secret on a new connection, for either end. */
  interface Handshakes {
    SealedStream connect(Socket socket, PeerAddress to) throws IOException;

    SealedStream accept(Socket socket) throws IOException;
  }

  private TcpStreams(
      ServerSocket server,
      Compression compression,
      Handshakes handshakes,
      Transport.Receiver receiver) {
    this.server = server;
    this.compression = compression;
    this.handshakes = handshakes;
    this.receiver = receiver;
  }

  /** Binds the port and starts to accept. */
  static TcpStreams bind(
      InetAddress address,
      int port,
      Compression compression,
      Handshakes handshakes,
      Transport.Receiver receiver)
      throws IOException {
    ServerSocket server = new ServerSocket();
    try {
      server.setReuseAddress(true); // a restart must not wait for the old connections' TIME_WAIT
      server.bind(new InetSocketAddress(address, port), MAX_UNAUTHENTICATED);
    } catch (IOException e) {
      server.close();
      throw e;
    }
    TcpStreams streams = new TcpStreams(server, compression, handshakes, receiver);
    Thread.ofVirtual().name("gossip-accept").start(streams::acceptLoop);
    Thread.ofVirtual().name("gossip-stuck").start(streams::closeStuckLoop);
    return streams;
  }

  int port() {
    return server.getLocalPort();
  }

  /** Enqueues the body in the session with this address, and opens a session if there is none. */
  void send(PeerAddress to, byte[] body) {
    while (!closed) {
      StreamSession session = sessionWith(to);
      switch (session.enqueue(body)) {
        case QUEUED -> {
          return;
        }
        case FULL -> {
          receiver.onUnreachable(to);
          return;
        }
        case CLOSED -> sessions.remove(to.address(), session); // try again with a new session
      }
    }
  }

  /** Keeps the session with a neighbour open, and drains its queue. */
  void connect(PeerAddress neighbour, OutboundQueue queue) {
    while (!closed) {
      StreamSession session = sessionWith(neighbour);
      if (session.attachQueue(neighbour, queue)) return;
      sessions.remove(neighbour.address(), session);
    }
  }

  void disconnect(PeerAddress neighbour) {
    StreamSession session = sessions.get(neighbour.address());
    if (session != null) session.detachQueue();
  }

  private StreamSession sessionWith(PeerAddress peer) {
    StreamSession known = sessions.get(peer.address());
    if (known != null) return known;
    StreamSession fresh = new StreamSession(peer, true, compression);
    known = sessions.putIfAbsent(peer.address(), fresh);
    if (known != null) return known;
    Thread.ofVirtual().name("gossip-call").start(() -> runOutbound(fresh));
    return fresh;
  }

  private void runOutbound(StreamSession session) {
    boolean authenticated = false;
    Socket outbound = new Socket();
    sockets.add(outbound);
    try (Socket socket = outbound) {
      if (sessions.size() > MAX_OPEN) {
        receiver.onDropped(DropReason.CONNECTIONS_FULL);
        return;
      }
      socket.setSoTimeout((int) HANDSHAKE_TIMEOUT.toMillis());
      socket.connect(
          SocketAddresses.toSocketAddress(session.peer().address()),
          (int) HANDSHAKE_TIMEOUT.toMillis());
      unproven.add(socket);
      SealedStream stream = handshakes.connect(socket, session.peer());
      unproven.remove(socket);
      authenticated = session.attachStream(stream);
      if (authenticated) runSession(session, stream);
    } catch (AuthenticationFailure e) {
      receiver.onDropped(e.reason());
      if (!authenticated) receiver.onAuthenticationFailed(session.peer());
    } catch (IOException e) {
      LOG.debug("event=gossip_connect_failed to={} reason=\"{}\"", session.peer(), e.getMessage());
    } finally {
      unproven.remove(outbound);
      sockets.remove(outbound);
      boolean lost = end(session);
      if (!authenticated || lost) receiver.onUnreachable(session.peer());
    }
  }

  private void acceptLoop() {
    while (!closed) {
      try {
        Socket socket = server.accept();
        if (unauthenticated.add(socket)) receiver.onDropped(DropReason.CONNECTIONS_FULL);
        sockets.add(socket);
        Thread.ofVirtual().name("gossip-answer").start(() -> runInbound(socket));
      } catch (IOException e) {
        if (closed) return;
        LOG.warn("event=gossip_accept_failed reason=\"{}\"", e.getMessage());
        if (!sleepOneSecond()) return; // out of file descriptors: wait until some are released
      }
    }
  }

  private void runInbound(Socket socket) {
    StreamSession session = null;
    try (socket) {
      socket.setSoTimeout((int) HANDSHAKE_TIMEOUT.toMillis());
      SealedStream stream = handshakes.accept(socket);
      unauthenticated.remove(socket);
      InetSocketAddress remote = (InetSocketAddress) socket.getRemoteSocketAddress();
      PeerAddress caller = new PeerAddress(SocketAddresses.toNodeAddress(remote), "");
      session = new StreamSession(caller, false, compression);
      if (sessions.size() > MAX_OPEN) receiver.onDropped(DropReason.CONNECTIONS_FULL);
      else if (session.attachStream(stream)) {
        sessions.put(session.peer().address(), session);
        runSession(session, stream);
      }
    } catch (AuthenticationFailure e) {
      receiver.onDropped(e.reason());
    } catch (IOException e) {
      LOG.debug("event=gossip_inbound_stream_ended reason=\"{}\"", e.getMessage());
    } finally {
      unauthenticated.remove(socket);
      if (session != null) end(session);
      sockets.remove(socket);
    }
  }

  /** Reads in this thread and writes in another until either ends. */
  private void runSession(StreamSession session, SealedStream stream) throws IOException {
    stream.socket().setSoTimeout((int) IDLE_TIMEOUT.toMillis());
    Thread writer =
        Thread.ofVirtual()
            .name("gossip-write")
            .start(
                () -> {
                  try {
                    session.writeLoop(stream);
                  } catch (IOException e) {
                    LOG.debug("event=gossip_write_ended reason=\"{}\"", e.getMessage());
                  } catch (InterruptedException e) {
                    LOG.trace("event=gossip_write_interrupted");
                  } finally {
                    closeQuietly(stream); // this also ends the reader's wait
                  }
                });
    try {
      boolean isOpen = true;
      while (isOpen) {
        isOpen = stream.read(longFrames, body -> handleBody(session, body));
      }
    } finally {
      writer.interrupt();
    }
  }

  private boolean handleBody(StreamSession from, byte[] body) {
    if (Arrays.equals(body, FrameBody.KEEP_ALIVE)) {
      if (!from.isOutbound()) from.enqueue(body); // the caller's keep-alive is answered
      return true;
    }
    NodeAddress address = from.peer().address();
    boolean isCompressed = body.length > 0 && body[0] != Compression.PLAIN;
    if (isCompressed) decompression.acquireUninterruptibly();
    try {
      return receiver.onBody(address, Optional.empty(), body, SealedStream.MAX_DECOMPRESSED, true);
    } finally {
      if (isCompressed) decompression.release();
    }
  }

  private boolean end(StreamSession session) {
    sessions.remove(session.peer().address(), session);
    return session.close();
  }

  private void closeStuckLoop() {
    while (!closed && sleepOneSecond()) {
      unauthenticated.closeExpired();
      unproven.closeExpired();
      for (StreamSession session : sessions.values()) {
        if (session.isStuck(WRITE_TIMEOUT.toNanos())) session.close();
      }
    }
  }

  /** False when the thread was interrupted. */
  private static boolean sleepOneSecond() {
    try {
      Thread.sleep(Duration.ofSeconds(1));
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  @Override
  public void close() {
    closed = true;
    closeQuietly(server);
    sockets.forEach(TcpStreams::closeQuietly);
    sessions.values().forEach(StreamSession::close);
  }

  private static void closeQuietly(AutoCloseable socket) {
    try {
      socket.close();
    } catch (Exception e) {
      LOG.debug("event=gossip_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
