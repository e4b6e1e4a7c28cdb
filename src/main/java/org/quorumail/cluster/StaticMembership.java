package org.quorumail.cluster;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import org.quorumail.config.HostPort;
import org.quorumail.gossip.transport.UnauthenticatedConnections;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The membership of a cluster that has certificates from files and no secret, and so no key to seal
 * gossip with. This node connects to each of a fixed list of seeds over mutual TLS, and both send
 * their metadata once a second. A node's own address among the seeds is harmless.
 *
 * <p>Threads: {@code cluster-accept} accepts connections, {@code cluster-deadlines} closes overdue
 * ones; each connection and each seed has a virtual thread. Metadata are length-prefixed JSON,
 * bounded before they are read.
 */
public final class StaticMembership implements Membership {
  private static final Logger LOG = LoggerFactory.getLogger(StaticMembership.class);
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** The limit for a connect, a handshake, and one exchange of metadata, each as a whole. */
  private static final Duration TIMEOUT = Duration.ofSeconds(3);

  private static final Duration DEADLINE_CHECK = Duration.ofMillis(500);

  /** Three missed messages in a row: more than a pause of the garbage collector. */
  private static final Duration SUSPECT_AFTER = Duration.ofSeconds(3);

  /** One connection per member; the rest is room for reconnects. */
  private static final int MAX_CONNECTIONS = 128;

  /** Connections in their handshake; a newer one closes the oldest. */
  private static final int MAX_UNAUTHENTICATED = 64;

  /** The deadline of a connection that has none. */
  private static final long NEVER = Long.MAX_VALUE;

  private final Supplier<MemberMetadata> self;
  private final SSLContext tls;
  private final ClusterTlsFiles.Verification verification;
  private final ServerSocket server;
  private final Map<String, ReceivedMetadata> received = new ConcurrentHashMap<>();

  /** The open connections, each with the end of its exchange by {@link System#nanoTime}. */
  private final Map<Socket, Long> open = new ConcurrentHashMap<>();

  private final UnauthenticatedConnections unauthenticated =
      new UnauthenticatedConnections(MAX_UNAUTHENTICATED, TIMEOUT);
  private final Semaphore connections = new Semaphore(MAX_CONNECTIONS);
  private final List<Thread> threads = new ArrayList<>();
  private final Map<HostPort, ContactResult> contacts = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** The result of the last connection to a seed. */
  private enum ContactResult {
    SELF,
    TRUSTED,
    /** Reached, but one of both certificates is not of the authority of the other side. */
    UNTRUSTED,
    UNREACHABLE
  }

  private record ReceivedMetadata(MemberMetadata metadata, long atMillis, long atNanos) {}

  private StaticMembership(
      Supplier<MemberMetadata> self,
      SSLContext tls,
      ClusterTlsFiles.Verification verification,
      ServerSocket server) {
    this.self = self;
    this.tls = tls;
    this.verification = verification;
    this.server = server;
  }

  /**
   * @param self this node's metadata, read again for each exchange
   * @throws ClusterStartException when the port cannot be bound
   */
  public static StaticMembership start(
      Supplier<MemberMetadata> self,
      SSLContext tls,
      ClusterTlsFiles.Verification verification,
      String bindAddress,
      int port,
      List<HostPort> seeds)
      throws ClusterStartException {
    ServerSocket server;
    try {
      server = new ServerSocket();
      server.setReuseAddress(true);
      server.bind(new InetSocketAddress(InetAddress.getByName(bindAddress), port), MAX_CONNECTIONS);
    } catch (IOException e) {
      throw ClusterStartException.ofEnvironment(
          "cluster.port: cannot listen on %s:%d (%s); is another node running there?"
              .formatted(bindAddress, port, e.getMessage()),
          e);
    }
    StaticMembership membership = new StaticMembership(self, tls, verification, server);
    membership.threads.add(Thread.ofVirtual().name("cluster-accept").start(membership::acceptAll));
    membership.threads.add(
        Thread.ofVirtual().name("cluster-deadlines").start(membership::closeOverdueLoop));
    for (HostPort seed : seeds) membership.contacts.put(seed, ContactResult.UNREACHABLE);
    for (HostPort seed : seeds) {
      membership.threads.add(
          Thread.ofVirtual().name("cluster-seed-" + seed).start(() -> membership.call(seed)));
    }
    return membership;
  }

  @Override
  public List<Member> members() {
    long now = System.nanoTime();
    return received.values().stream()
        .map(h -> new Member(h.metadata, presence(now - h.atNanos), h.atMillis))
        .toList();
  }

  private static Presence presence(long silentNanos) {
    return silentNanos < SUSPECT_AFTER.toNanos() ? Presence.ALIVE : Presence.SUSPECT;
  }

  @Override
  public Optional<String> joinFailure() {
    List<HostPort> untrusted = new ArrayList<>();
    for (Map.Entry<HostPort, ContactResult> contact : contacts.entrySet()) {
      if (contact.getValue() == ContactResult.UNTRUSTED) untrusted.add(contact.getKey());
      else if (contact.getValue() != ContactResult.SELF) return Optional.empty();
    }
    if (untrusted.isEmpty()) return Optional.empty();
    return Optional.of(
        "cluster.secret: %s have another secret or certificates of another authority; give all nodes the same cluster.secret, or cluster.tls of one authority"
            .formatted(untrusted));
  }

  @Override
  public void close() {
    closed = true;
    closeQuietly(server);
    open.keySet().forEach(StaticMembership::closeQuietly);
    threads.forEach(Thread::interrupt);
  }

  private void acceptAll() {
    while (!closed) {
      try {
        Socket socket = server.accept();
        unauthenticated.add(socket);
        open.put(socket, NEVER);
        Thread.ofVirtual().name("cluster-member").start(() -> answer(socket));
      } catch (IOException e) {
        if (closed) return;
        LOG.warn("event=cluster_accept_failed reason=\"{}\"", e.getMessage());
        if (!pause(INTERVAL)) return;
      }
    }
  }

  /** A read timeout alone does not stop a client that sends an octet now and then. */
  private void closeOverdueLoop() {
    while (!closed && pause(DEADLINE_CHECK)) {
      unauthenticated.closeExpired();
      long now = System.nanoTime();
      open.forEach(
          (socket, until) -> {
            if (until != NEVER && now - until > 0) closeQuietly(socket);
          });
    }
  }

  private void limitExchange(Socket socket) {
    open.replace(socket, System.nanoTime() + TIMEOUT.toNanos());
  }

  private void answer(Socket socket) {
    boolean admitted = false;
    try (socket) {
      MemberConnection wire = handshake(socket, server());
      unauthenticated.remove(socket);
      admitted = connections.tryAcquire();
      while (!closed && admitted) {
        limitExchange(socket);
        receive(wire);
        wire.send(self.get());
      }
    } catch (IOException | JacksonException e) {
      LOG.debug(
          "event=cluster_member_disconnected peer={} reason=\"{}\"",
          socket.getInetAddress(),
          e.getMessage());
    } finally {
      unauthenticated.remove(socket);
      open.remove(socket);
      if (admitted) connections.release();
    }
  }

  /** Makes the server's end of TLS on a connection, so that its close never waits for TLS. */
  private TlsLayer server() {
    return socket -> {
      SSLSocket secured =
          (SSLSocket)
              tls.getSocketFactory().createSocket(socket, InputStream.nullInputStream(), true);
      secured.setUseClientMode(false);
      secured.setNeedClientAuth(true);
      return secured;
    };
  }

  private TlsLayer client(HostPort seed) {
    return socket ->
        (SSLSocket) tls.getSocketFactory().createSocket(socket, seed.host(), seed.port(), true);
  }

  private interface TlsLayer {
    SSLSocket over(Socket socket) throws IOException;
  }

  private void call(HostPort seed) {
    boolean logged = false;
    while (!closed) {
      try (Socket socket = new Socket()) {
        open.put(socket, NEVER);
        try {
          // resolved at each attempt: the address behind a name may change
          socket.connect(new InetSocketAddress(seed.host(), seed.port()), (int) TIMEOUT.toMillis());
          limitExchange(socket);
          MemberConnection wire = handshake(socket, client(seed));
          logged = false;
          while (!closed) {
            limitExchange(socket);
            wire.send(self.get());
            contacts.put(seed, receive(wire) ? ContactResult.TRUSTED : ContactResult.SELF);
            open.replace(socket, NEVER);
            if (!pause(INTERVAL)) return;
          }
        } finally {
          open.remove(socket);
        }
      } catch (IOException | JacksonException e) {
        if (closed) return;
        boolean untrusted = e instanceof SSLHandshakeException;
        contacts.put(seed, untrusted ? ContactResult.UNTRUSTED : ContactResult.UNREACHABLE);
        if (!logged && untrusted) {
          LOG.warn(
              "event=cluster_seed_untrusted seed={} reason=\"{}\" check=\"cluster.secret,"
                  + " cluster.tls\"",
              seed,
              e.getMessage());
        } else if (!logged) {
          LOG.info("event=cluster_seed_unreachable seed={} reason=\"{}\"", seed, e.getMessage());
        }
        logged = true; // once per outage, not once per second
        if (!pause(INTERVAL)) return;
      }
    }
  }

  /** Receives metadata; false when they are our own. */
  private boolean receive(MemberConnection wire) throws IOException {
    MemberMetadata metadata = wire.receive();
    MemberMetadata own = self.get();
    if (metadata.peerId().equals(own.peerId())) return false; // our own address among the seeds
    if (!mayShow(wire.names, metadata)) {
      throw new IOException(
          "the certificate names %s, not %s".formatted(wire.names, metadata.nodeId()));
    }
    boolean isNew =
        received.put(
                metadata.peerId(),
                new ReceivedMetadata(metadata, System.currentTimeMillis(), System.nanoTime()))
            == null;
    if (isNew) {
      LOG.info(
          "event=cluster_member_seen node={} address={}:{}",
          metadata.nodeId(),
          metadata.host(),
          metadata.port());
    }
    return true;
  }

  /** Whether a member with a certificate for these names may show the metadata as its own. */
  private boolean mayShow(Set<String> names, MemberMetadata metadata) {
    String prefix = metadata.nodeId() + "-";
    boolean isOwnPeer =
        metadata.peerId().startsWith(prefix) && metadata.peerId().indexOf('-', prefix.length()) < 0;
    if (!isOwnPeer) return false;
    return names.contains(metadata.nodeId())
        || (verification == ClusterTlsFiles.Verification.AUTHORITY
            && names.contains(metadata.host()));
  }

  private static MemberConnection handshake(Socket socket, TlsLayer layer) throws IOException {
    socket.setSoTimeout((int) TIMEOUT.toMillis());
    socket.setTcpNoDelay(true);
    SSLSocket secured = layer.over(socket);
    secured.startHandshake();
    X509Certificate peer = (X509Certificate) secured.getSession().getPeerCertificates()[0];
    return new MemberConnection(
        new DataInputStream(secured.getInputStream()),
        new DataOutputStream(new BufferedOutputStream(secured.getOutputStream())),
        NodeCertificate.names(peer));
  }

  private static boolean pause(Duration time) {
    try {
      Thread.sleep(time);
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  private static void closeQuietly(AutoCloseable socket) {
    try {
      socket.close();
    } catch (Exception e) {
      LOG.debug("event=close_failed reason=\"{}\"", e.getMessage());
    }
  }

  /** One authenticated connection. */
  private record MemberConnection(DataInputStream in, DataOutputStream out, Set<String> names) {
    void send(MemberMetadata metadata) throws IOException {
      byte[] json = JSON.writeValueAsBytes(metadata);
      out.writeInt(json.length);
      out.write(json);
      out.flush();
    }

    MemberMetadata receive() throws IOException {
      int length = in.readInt();
      if (length < 2 || length > MemberMetadata.MAX_BYTES) {
        throw new IOException("metadata of " + length + " bytes");
      }
      byte[] json = new byte[length];
      in.readFully(json);
      return Optional.ofNullable(JSON.readValue(json, MemberMetadata.class))
          .orElseThrow(() -> new IOException("no metadata"));
    }
  }
}
