package org.quorumail.gossip.net;

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
import org.quorumail.gossip.Address;
import org.quorumail.gossip.net.SealedStream.Unproven;
import org.quorumail.gossip.net.Transport.Peer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TCP side: accepts, calls, and keeps what is open under the address of the other end. Threads,
 * all virtual: one accepts; each connection has one that reads and one that writes; one ends
 * writers that are stuck and strangers that prove nothing.
 */
final class Streams implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Streams.class);

  /** A burst of neighbours that all call after a restart, some times over. */
  static final int MAX_UNPROVEN = 64;

  /** The neighbours and a push-pull now and then; 10,000 members never call one at once. */
  private static final int MAX_OPEN = 1_024;

  /** Each takes up to 4 MiB, and 8 MiB more when it is inflated. */
  private static final int MAX_LONG_FRAMES = 4;

  /** For connecting and for the other end's proof. */
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  /** For one frame to leave: the largest over 4 Mbit/s. */
  private static final Duration STUCK = Duration.ofSeconds(10);

  /** A stream on which nothing comes for so long is closed; the next message opens another. */
  private static final Duration IDLE = Conversation.KEEP_ALIVE.multipliedBy(3);

  private final ServerSocket server;
  private final Handshakes handshakes;
  private final Transport.Receiver receiver;
  private final Compression compression;
  private final Map<Address, Conversation> open = new ConcurrentHashMap<>();
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Semaphore longFrames = new Semaphore(MAX_LONG_FRAMES);

  /**
   * One stream at a time: a member gone bad packs megabytes into hundreds of bytes, and must not
   * have all processors for it.
   */
  private final Semaphore inflating = new Semaphore(1, true);

  private final Strangers strangers = new Strangers(MAX_UNPROVEN, PATIENCE);
  private volatile boolean closed;

  /** How the two ends of a new connection prove the secret to each other. */
  interface Handshakes {
    SealedStream prove(Socket socket, Peer to) throws IOException;

    SealedStream check(Socket socket) throws IOException;
  }

  private Streams(
      ServerSocket server,
      Compression compression,
      Handshakes handshakes,
      Transport.Receiver receiver) {
    this.server = server;
    this.compression = compression;
    this.handshakes = handshakes;
    this.receiver = receiver;
  }

  static Streams bind(
      InetAddress address,
      int port,
      Compression compression,
      Handshakes handshakes,
      Transport.Receiver receiver)
      throws IOException {
    ServerSocket server = new ServerSocket();
    try {
      server.setReuseAddress(true); // a restart must not wait for the old connections' TIME_WAIT
      server.bind(new InetSocketAddress(address, port), MAX_UNPROVEN);
    } catch (IOException e) {
      server.close();
      throw e;
    }
    Streams streams = new Streams(server, compression, handshakes, receiver);
    Thread.ofVirtual().name("gossip-accept").start(streams::accept);
    Thread.ofVirtual().name("gossip-stuck").start(streams::endStuck);
    return streams;
  }

  int port() {
    return server.getLocalPort();
  }

  /** Puts the body into the queue of the conversation with this address; opens one if need be. */
  void send(Peer to, byte[] body) {
    while (!closed) {
      Conversation conversation = with(to);
      switch (conversation.offer(body)) {
        case TAKEN -> {
          return;
        }
        case FULL -> {
          receiver.unreachable(to);
          return;
        }
        case ENDED -> open.remove(to.address(), conversation); // once more with a new one
      }
    }
  }

  /** Keeps the conversation with a neighbour open, and draws from its queue. */
  void keep(Peer neighbour, NeighbourQueue queue) {
    while (!closed) {
      Conversation conversation = with(neighbour);
      if (conversation.keepFor(neighbour, queue)) return;
      open.remove(neighbour.address(), conversation);
    }
  }

  void release(Peer neighbour) {
    Conversation conversation = open.get(neighbour.address());
    if (conversation != null) conversation.release();
  }

  private Conversation with(Peer peer) {
    Conversation known = open.get(peer.address());
    if (known != null) return known;
    Conversation fresh = new Conversation(peer, true, compression);
    known = open.putIfAbsent(peer.address(), fresh);
    if (known != null) return known;
    Thread.ofVirtual().name("gossip-call").start(() -> call(fresh));
    return fresh;
  }

  private void call(Conversation conversation) {
    boolean proven = false;
    Socket calling = new Socket();
    sockets.add(calling);
    try (Socket socket = calling) {
      if (open.size() > MAX_OPEN) {
        receiver.dropped(DropReason.CONNECTIONS_FULL);
        return;
      }
      socket.setSoTimeout((int) PATIENCE.toMillis());
      socket.connect(
          Datagrams.socketAddress(conversation.peer().address()), (int) PATIENCE.toMillis());
      SealedStream stream = handshakes.prove(socket, conversation.peer());
      proven = conversation.open(stream);
      if (proven) converse(conversation, stream);
    } catch (Unproven e) {
      receiver.dropped(e.reason());
      if (!proven) receiver.refused(conversation.peer());
    } catch (IOException e) {
      log.debug("gossip_call_failed to={} reason=\"{}\"", conversation.peer(), e.getMessage());
    } finally {
      sockets.remove(calling);
      boolean lost = end(conversation);
      if (!proven || lost) receiver.unreachable(conversation.peer());
    }
  }

  private void accept() {
    while (!closed) {
      try {
        Socket socket = server.accept();
        if (strangers.admit(socket)) receiver.dropped(DropReason.CONNECTIONS_FULL);
        sockets.add(socket);
        Thread.ofVirtual().name("gossip-answer").start(() -> answer(socket));
      } catch (IOException e) {
        if (closed) return;
        log.warn("gossip_accept_failed reason=\"{}\"", e.getMessage());
        if (!pause()) return; // out of file descriptors: give others time to return some
      }
    }
  }

  private void answer(Socket socket) {
    Conversation conversation = null;
    try (socket) {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      SealedStream stream = handshakes.check(socket);
      strangers.remove(socket);
      InetSocketAddress remote = (InetSocketAddress) socket.getRemoteSocketAddress();
      Peer caller = new Peer(Datagrams.address(remote), "");
      conversation = new Conversation(caller, false, compression);
      if (open.size() > MAX_OPEN) receiver.dropped(DropReason.CONNECTIONS_FULL);
      else if (conversation.open(stream)) {
        open.put(conversation.peer().address(), conversation);
        converse(conversation, stream);
      }
    } catch (Unproven e) {
      receiver.dropped(e.reason());
    } catch (IOException e) {
      log.debug("gossip_answer_ended reason=\"{}\"", e.getMessage());
    } finally {
      strangers.remove(socket);
      if (conversation != null) end(conversation);
      sockets.remove(socket);
    }
  }

  /** Reads in this thread and writes in another, until either ends. */
  private void converse(Conversation conversation, SealedStream stream) throws IOException {
    stream.socket().setSoTimeout((int) IDLE.toMillis());
    Thread writer =
        Thread.ofVirtual()
            .name("gossip-write")
            .start(
                () -> {
                  try {
                    conversation.write(stream);
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
        goesOn = stream.read(longFrames, body -> isTaken(conversation, body));
      }
    } finally {
      writer.interrupt();
    }
  }

  private boolean isTaken(Conversation from, byte[] body) {
    if (Arrays.equals(body, Body.NOTHING)) { // a sign of life
      if (!from.called()) from.offer(body);
      return true;
    }
    Address address = from.peer().address();
    boolean inflates = body.length > 0 && body[0] != Compression.PLAIN;
    if (inflates) inflating.acquireUninterruptibly();
    try {
      return receiver.body(address, Optional.empty(), body, SealedStream.MAX_INFLATED, true);
    } finally {
      if (inflates) inflating.release();
    }
  }

  private boolean end(Conversation conversation) {
    open.remove(conversation.peer().address(), conversation);
    return conversation.end();
  }

  private void endStuck() {
    while (!closed && pause()) {
      strangers.endLate();
      for (Conversation c : open.values()) {
        if (c.isStuck(STUCK.toNanos())) c.end();
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
    sockets.forEach(Streams::closeQuietly);
    open.values().forEach(Conversation::end);
  }

  private static void closeQuietly(AutoCloseable socket) {
    try {
      socket.close();
    } catch (Exception e) {
      log.debug("gossip_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
