package org.quorumail.gossip.discovery;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.transport.FrameFormat;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.Opener;
import org.quorumail.gossip.transport.Opener.OpenResult;
import org.quorumail.gossip.transport.Sealer;
import org.quorumail.gossip.transport.UdpSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Nodes of one network segment tell their address to a multicast group every two seconds. An
 * announcement is sealed like any frame: who does not hold the secret is not heard, and learns
 * nothing but that somebody is there. Several nodes of one host share the group's port.
 *
 * <p>Threads: one virtual thread tells, one hears.
 */
public final class MulticastDiscovery implements NodeDiscovery {
  private static final Logger log = LoggerFactory.getLogger(MulticastDiscovery.class);
  private static final Duration INTERVAL = Duration.ofSeconds(2);

  /** Who was not heard for so long is not called any more. */
  private static final Duration EXPIRY = Duration.ofSeconds(30);

  /** Site-local groups may cross a router or two, not the world. */
  private static final int HOPS = 4;

  private final DatagramChannel channel;
  private final InetSocketAddress group;
  private final Sealer sealer;
  private final Opener opener;
  private final byte[] announcement;
  private final List<Thread> threads = new ArrayList<>();

  /** Bounded: the least recently heard goes first. */
  private final Map<InetSocketAddress, Long> lastAnnounced =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<InetSocketAddress, Long> eldest) {
          return size() > MAX_FOUND;
        }
      };

  private MulticastDiscovery(
      KeyRing ring,
      String self,
      InetSocketAddress group,
      DatagramChannel channel,
      NodeAddress address) {
    this.channel = channel;
    this.group = group;
    this.sealer = new Sealer(ring, Clock.systemUTC());
    this.opener = new Opener(ring, self, Clock.systemUTC());
    byte[] raw = address.raw();
    this.announcement =
        ByteBuffer.allocate(1 + raw.length + Short.BYTES)
            .put((byte) raw.length)
            .put(raw)
            .putShort((short) address.port())
            .array();
  }

  /**
   * @param self this node's id
   * @param group multicast address and port
   * @param from a local address: its interface is used
   * @param advertised what the others shall call
   * @throws IOException when the group cannot be joined
   */
  public static MulticastDiscovery join(
      KeyRing ring,
      String self,
      InetSocketAddress group,
      InetAddress from,
      InetSocketAddress advertised)
      throws IOException {
    if (!group.getAddress().isMulticastAddress()) {
      throw new IOException("cluster.multicast_address: " + group + " is not a multicast address");
    }
    boolean v4 = group.getAddress() instanceof java.net.Inet4Address;
    DatagramChannel channel =
        DatagramChannel.open(v4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6);
    try {
      NetworkInterface network = NetworkInterface.getByInetAddress(from);
      if (network == null) throw new IOException("no network interface has the address " + from);
      channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      channel.setOption(StandardSocketOptions.IP_MULTICAST_IF, network);
      channel.setOption(StandardSocketOptions.IP_MULTICAST_LOOP, true);
      channel.setOption(StandardSocketOptions.IP_MULTICAST_TTL, HOPS);
      channel.bind(new InetSocketAddress(group.getPort()));
      channel.join(group.getAddress(), network);
    } catch (IOException e) {
      channel.close();
      throw new IOException(
          "cluster.multicast_address: cannot join %s on the interface of %s (%s)"
              .formatted(group, from.getHostAddress(), e.getMessage()),
          e);
    }
    MulticastDiscovery discovery =
        new MulticastDiscovery(ring, self, group, channel, UdpSocket.address(advertised));
    discovery.threads.add(Thread.ofVirtual().name("multicast-tell").start(discovery::announceLoop));
    discovery.threads.add(Thread.ofVirtual().name("multicast-hear").start(discovery::receiveLoop));
    return discovery;
  }

  @Override
  public void replaceKeys(KeyRing ring) {
    opener.replaceKeys(ring);
    sealer.replaceKeys(ring);
  }

  @Override
  public List<InetSocketAddress> find() {
    long now = System.nanoTime();
    synchronized (lastAnnounced) {
      lastAnnounced.values().removeIf(at -> now - at > EXPIRY.toNanos());
      return List.copyOf(lastAnnounced.keySet());
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("multicast_close_failed reason=\"{}\"", e.getMessage());
    }
    threads.forEach(Thread::interrupt);
  }

  private void announceLoop() {
    while (channel.isOpen()) {
      try {
        byte[] frame = sealer.seal(FrameFormat.ANNOUNCEMENT, OptionalInt.empty(), announcement);
        channel.send(ByteBuffer.wrap(frame), group);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        log.debug("multicast_not_sent group={} reason=\"{}\"", group, e.getMessage());
      }
      try {
        Thread.sleep(INTERVAL);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void receiveLoop() {
    ByteBuffer buffer = ByteBuffer.allocate(UdpSocket.MAX_RECEIVED_BYTES);
    while (channel.isOpen()) {
      try {
        channel.receive(buffer.clear());
        if (opener.open(FrameFormat.ANNOUNCEMENT, buffer.flip()) instanceof OpenResult.Payload p) {
          recordAnnouncement(p.bytes());
        }
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        log.debug("multicast_not_read reason=\"{}\"", e.getMessage());
      }
    }
  }

  private void recordAnnouncement(byte[] bytes) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    int length = in.hasRemaining() ? in.get() : 0;
    if ((length != 4 && length != 16) || in.remaining() != length + Short.BYTES) return;
    byte[] raw = new byte[length];
    in.get(raw);
    int port = in.getShort() & 0xffff;
    synchronized (lastAnnounced) {
      lastAnnounced.put(
          new InetSocketAddress(InetAddress.getByAddress(raw), port), System.nanoTime());
    }
  }
}
