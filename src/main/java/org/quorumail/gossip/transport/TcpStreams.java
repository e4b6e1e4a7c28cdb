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
import org.quorumail.gossip.driver.NeighbourQueue;
import org.quorumail.gossip.transport.SealedStream.AuthenticationFailure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TCP side: accepts, calls, and keeps what is open under the address of the other end. Threads,
 * all virtual: one accepts; each connection has one that reads and one that writes; one ends
 * writers that are stuck and strangers that prove nothing.
 */
final class TcpStreams implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TcpStreams.class);

  /** A burst of neighbours that all call after a restart, some times over. */
  static final int MAX_UNAUTHENTICATED = 64;

  /** The neighbours and a push-pull now and then; 10,000 members never call one at once. */
  private static final int MAX_OPEN = 1_024;

  /** Each takes up to 4 MiB, and 8 MiB more when it is inflated. */
  private static final int MAX_LONG_FRAMES = 4;

  /** For connecting and for the other end's proof. */
  private static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(3);

  /** For one frame to leave: the largest over 4 Mbit/s. */
  private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(10);

  /** A stream on which nothing comes for so long is closed; the next message opens another. */
  private static final Duration IDLE_TIMEOUT = StreamSession.KEEP_ALIVE_INTERVAL.multipliedBy(3);

  private final ServerSocket server;
  private final Handshakes handshakes;
  private final Transport.Receiver receiver;
  private final Compression compression;
  private final Map<NodeAddress, StreamSession> sessions = new ConcurrentHashMap<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Semaphore longFrames = new Semaphore(MAX_LONG_FRAMES);

  /**
   * One stream at a time: a member gone bad packs megabytes into hundreds of bytes, and must not
   * have all processors for it.
   */
  private final Semaphore decompression = new Semaphore(1, true);

  private final UnauthenticatedConnections unauthenticated =
      new UnauthenticatedConnections(MAX_UNAUTHENTICATED, HANDSHAKE_TIMEOUT);
  private volatile boolean closed;

  /** How the two ends of a new connection prove the secret to each other. */
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

  /** Puts the body into the queue of the conversation with this address; opens one if need be. */
  void send(PeerAddress to, byte[] body) {
    while (!closed) {
      StreamSession conversation = sessionWith(to);
      switch (conversation.enqueue(body)) {
        case QUEUED -> {
          return;
        }
        case FULL -> {
          receiver.onUnreachable(to);
          return;
        }
        case CLOSED -> sessions.remove(to.address(), conversation); // once more with a new one
      }
    }
  }

  /** Keeps the conversation with a neighbour open, and draws from its queue. */
  void connect(PeerAddress neighbour, NeighbourQueue queue) {
    while (!closed) {
      StreamSession conversation = sessionWith(neighbour);
      if (conversation.attachQueue(neighbour, queue)) return;
      sessions.remove(neighbour.address(), conversation);
    }
  }

  void disconnect(PeerAddress neighbour) {
    StreamSession conversation = sessions.get(neighbour.address());
    if (conversation != null) conversation.detachQueue();
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

  private void runOutbound(StreamSession conversation) {
    boolean proven = false;
    Socket calling = new Socket();
    sockets.add(calling);
    try (Socket socket = calling) {
      if (sessions.size() > MAX_OPEN) {
        receiver.onDropped(DropReason.CONNECTIONS_FULL);
        return;
      }
      socket.setSoTimeout((int) HANDSHAKE_TIMEOUT.toMillis());
      socket.connect(
          UdpSocket.socketAddress(conversation.peer().address()),
          (int) HANDSHAKE_TIMEOUT.toMillis());
      SealedStream stream = handshakes.connect(socket, conversation.peer());
      proven = conversation.attachStream(stream);
      if (proven) runSession(conversation, stream);
    } catch (AuthenticationFailure e) {
      receiver.onDropped(e.reason());
      if (!proven) receiver.onAuthenticationFailed(conversation.peer());
    } catch (IOException e) {
      log.debug("gossip_call_failed to={} reason=\"{}\"", conversation.peer(), e.getMessage());
    } finally {
      sockets.remove(calling);
      boolean lost = end(conversation);
      if (!proven || lost) receiver.onUnreachable(conversation.peer());
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
        log.warn("gossip_accept_failed reason=\"{}\"", e.getMessage());
        if (!pause()) return; // out of file descriptors: give others time to return some
      }
    }
  }

  private void runInbound(Socket socket) {
    StreamSession conversation = null;
    try (socket) {
      socket.setSoTimeout((int) HANDSHAKE_TIMEOUT.toMillis());
      SealedStream stream = handshakes.accept(socket);
      unauthenticated.remove(socket);
      InetSocketAddress remote = (InetSocketAddress) socket.getRemoteSocketAddress();
      PeerAddress caller = new PeerAddress(UdpSocket.address(remote), "");
      conversation = new StreamSession(caller, false, compression);
      if (sessions.size() > MAX_OPEN) receiver.onDropped(DropReason.CONNECTIONS_FULL);
      else if (conversation.attachStream(stream)) {
        sessions.put(conversation.peer().address(), conversation);
        runSession(conversation, stream);
      }
    } catch (AuthenticationFailure e) {
      receiver.onDropped(e.reason());
    } catch (IOException e) {
      log.debug("gossip_answer_ended reason=\"{}\"", e.getMessage());
    } finally {
      unauthenticated.remove(socket);
      if (conversation != null) end(conversation);
      sockets.remove(socket);
    }
  }

  /** Reads in this thread and writes in another, until either ends. */
  private void runSession(StreamSession conversation, SealedStream stream) throws IOException {
    stream.socket().setSoTimeout((int) IDLE_TIMEOUT.toMillis());
    Thread writer =
        Thread.ofVirtual()
            .name("gossip-write")
            .start(
                () -> {
                  try {
                    conversation.writeLoop(stream);
                  } catch (IOException e) {
                    log.debug("gossip_write_ended reason=\"{}\"", e.getMessage());
                  } catch (InterruptedException e) {
                    log.trace("gossip_write_over");
                  } finally {
                    closeQuietly(stream); // and with it the reader's wait
                  }
                });
    try {
      boolean goesOn = true;
      while (goesOn) {
        goesOn = stream.read(longFrames, body -> handleBody(conversation, body));
      }
    } finally {
      writer.interrupt();
    }
  }

  private boolean handleBody(StreamSession from, byte[] body) {
    if (Arrays.equals(body, FrameBody.KEEP_ALIVE)) { // a sign of life
      if (!from.isOutbound()) from.enqueue(body);
      return true;
    }
    NodeAddress address = from.peer().address();
    boolean inflates = body.length > 0 && body[0] != Compression.PLAIN;
    if (inflates) decompression.acquireUninterruptibly();
    try {
      return receiver.onBody(address, Optional.empty(), body, SealedStream.MAX_DECOMPRESSED, true);
    } finally {
      if (inflates) decompression.release();
    }
  }

  private boolean end(StreamSession conversation) {
    sessions.remove(conversation.peer().address(), conversation);
    return conversation.close();
  }

  private void closeStuckLoop() {
    while (!closed && pause()) {
      unauthenticated.closeExpired();
      for (StreamSession c : sessions.values()) {
        if (c.isStuck(WRITE_TIMEOUT.toNanos())) c.close();
      }
    }
  }

  private static boolean pause() {
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
      log.debug("gossip_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
