package org.quorumail.cluster;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.quorumail.config.HostPort;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Membership of a cluster that has certificates from files and no secret, so that there is no key
 * to seal gossip with: this node calls each of a fixed list of seeds over mutual TLS and both tell
 * their card once a second. A node's own address among the seeds is harmless.
 *
 * <p>Threads: {@code cluster-accept} takes connections, each connection and each seed has a virtual
 * thread. A card is length-prefixed JSON, bounded before it is read.
 */
public final class StaticMembership implements Membership {
  private static final Logger LOG = LoggerFactory.getLogger(StaticMembership.class);
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Duration INTERVAL = Duration.ofSeconds(1);
  private static final int TIMEOUT_MS = 3_000;

  /** Three missed cards in a row: more than a pause of the garbage collector. */
  private static final Duration SUSPECT_AFTER = Duration.ofSeconds(3);

  /** Each member calls once; the rest is room for reconnects and for strangers that fail TLS. */
  private static final int MAX_CONNECTIONS = 128;

  private final Supplier<MemberMetadata> self;
  private final SSLContext tls;
  private final SSLServerSocket server;
  private final Map<String, ReceivedMetadata> received = new ConcurrentHashMap<>();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final Semaphore connections = new Semaphore(MAX_CONNECTIONS);
  private final List<Thread> threads = new ArrayList<>();
  private final Map<HostPort, ContactResult> contacts = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** What came of the last call to a seed. */
  private enum ContactResult {
    SELF,
    TRUSTED,
    /** Reached, but its certificate is not of our authority, or ours not of its. */
    UNTRUSTED,
    UNREACHABLE
  }

  private record ReceivedMetadata(MemberMetadata metadata, long atMillis, long atNanos) {}

  private StaticMembership(Supplier<MemberMetadata> self, SSLContext tls, SSLServerSocket server) {
    this.self = self;
    this.tls = tls;
    this.server = server;
  }

  /**
   * @param self this node's card, asked anew for each exchange
   * @throws ClusterStartException when the port cannot be bound
   */
  public static StaticMembership start(
      Supplier<MemberMetadata> self,
      SSLContext tls,
      String bindAddress,
      int port,
      List<HostPort> seeds)
      throws ClusterStartException {
    SSLServerSocket server;
    try {
      server = (SSLServerSocket) tls.getServerSocketFactory().createServerSocket();
      server.setNeedClientAuth(true);
      server.setReuseAddress(true);
      server.bind(new InetSocketAddress(InetAddress.getByName(bindAddress), port), MAX_CONNECTIONS);
    } catch (IOException e) {
      throw ClusterStartException.ofEnvironment(
          "cluster.port: cannot listen on %s:%d (%s); is another node running there?"
              .formatted(bindAddress, port, e.getMessage()),
          e);
    }
    StaticMembership membership = new StaticMembership(self, tls, server);
    membership.threads.add(Thread.ofVirtual().name("cluster-accept").start(membership::acceptAll));
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
    List<HostPort> strangers = new ArrayList<>();
    for (Map.Entry<HostPort, ContactResult> contact : contacts.entrySet()) {
      if (contact.getValue() == ContactResult.UNTRUSTED) strangers.add(contact.getKey());
      else if (contact.getValue() != ContactResult.SELF) return Optional.empty();
    }
    if (strangers.isEmpty()) return Optional.empty();
    return Optional.of(
        "cluster.secret: %s have another secret or certificates of another authority; give all nodes the same cluster.secret, or cluster.tls of one authority"
            .formatted(strangers));
  }

  @Override
  public void close() {
    closed = true;
    closeQuietly(server);
    open.forEach(StaticMembership::closeQuietly);
    threads.forEach(Thread::interrupt);
  }

  private void acceptAll() {
    while (!closed) {
      try {
        Socket socket = server.accept();
        if (!connections.tryAcquire()) {
          closeQuietly(socket);
          continue;
        }
        Thread.ofVirtual().name("cluster-member").start(() -> answer((SSLSocket) socket));
      } catch (IOException e) {
        if (closed) return;
        LOG.warn("cluster_accept_failed reason=\"{}\"", e.getMessage());
        if (!pause()) return;
      }
    }
  }

  private void answer(SSLSocket socket) {
    try (socket) {
      open.add(socket);
      MemberConnection wire = handshake(socket);
      while (!closed) {
        receive(wire);
        wire.send(self.get());
      }
    } catch (IOException | JacksonException e) {
      LOG.debug(
          "cluster_member_gone peer={} reason=\"{}\"", socket.getInetAddress(), e.getMessage());
    } finally {
      open.remove(socket);
      connections.release();
    }
  }

  private void call(HostPort seed) {
    boolean complained = false;
    while (!closed) {
      try (SSLSocket socket = (SSLSocket) tls.getSocketFactory().createSocket()) {
        open.add(socket);
        try {
          // resolved at each attempt: the address behind a name may change
          socket.connect(new InetSocketAddress(seed.host(), seed.port()), TIMEOUT_MS);
          MemberConnection wire = handshake(socket);
          complained = false;
          while (!closed) {
            wire.send(self.get());
            contacts.put(seed, receive(wire) ? ContactResult.TRUSTED : ContactResult.SELF);
            if (!pause()) return;
          }
        } finally {
          open.remove(socket);
        }
      } catch (IOException | JacksonException e) {
        if (closed) return;
        boolean stranger = e instanceof SSLHandshakeException;
        contacts.put(seed, stranger ? ContactResult.UNTRUSTED : ContactResult.UNREACHABLE);
        if (!complained && stranger) {
          LOG.warn(
              "cluster_seed_untrusted seed={} reason=\"{}\" check=\"cluster.secret, cluster.tls\"",
              seed,
              e.getMessage());
        } else if (!complained) {
          LOG.info("cluster_seed_unreachable seed={} reason=\"{}\"", seed, e.getMessage());
        }
        complained = true; // once per outage, not once per second
        if (!pause()) return;
      }
    }
  }

  /** False when the card is our own. */
  private boolean receive(MemberConnection wire) throws IOException {
    MemberMetadata card = wire.receive();
    MemberMetadata own = self.get();
    if (card.peerId().equals(own.peerId())) return false; // our own address among the seeds
    boolean speaksForItself =
        wire.names.contains(card.nodeId()) || wire.names.contains(card.host());
    if (!speaksForItself) {
      throw new IOException(
          "the certificate speaks for %s, not for %s".formatted(wire.names, card.nodeId()));
    }
    boolean isNew =
        received.put(
                card.peerId(),
                new ReceivedMetadata(card, System.currentTimeMillis(), System.nanoTime()))
            == null;
    if (isNew) {
      LOG.info(
          "cluster_member_seen node={} address={}:{}", card.nodeId(), card.host(), card.port());
    }
    return true;
  }

  private MemberConnection handshake(SSLSocket socket) throws IOException {
    socket.setSoTimeout(TIMEOUT_MS);
    socket.setTcpNoDelay(true);
    socket.startHandshake();
    X509Certificate peer = (X509Certificate) socket.getSession().getPeerCertificates()[0];
    return new MemberConnection(
        new DataInputStream(socket.getInputStream()),
        new DataOutputStream(new BufferedOutputStream(socket.getOutputStream())),
        NodeCertificate.names(peer));
  }

  private boolean pause() {
    try {
      Thread.sleep(INTERVAL);
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  private static void closeQuietly(AutoCloseable socket) {
    try {
      socket.close();
    } catch (Exception e) {
      LOG.debug("close_failed reason=\"{}\"", e.getMessage());
    }
  }

  /** One proven connection. */
  private record MemberConnection(DataInputStream in, DataOutputStream out, Set<String> names) {
    void send(MemberMetadata card) throws IOException {
      byte[] json = JSON.writeValueAsBytes(card);
      out.writeInt(json.length);
      out.write(json);
      out.flush();
    }

    MemberMetadata receive() throws IOException {
      int length = in.readInt();
      if (length < 2 || length > MemberMetadata.MAX_BYTES) {
        throw new IOException("a card of " + length + " bytes");
      }
      byte[] json = new byte[length];
      in.readFully(json);
      return JSON.readValue(json, MemberMetadata.class);
    }
  }
}
