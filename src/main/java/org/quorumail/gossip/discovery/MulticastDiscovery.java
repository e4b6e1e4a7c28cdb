package org.quorumail.gossip.discovery;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
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
import java.util.List;
import java.util.OptionalInt;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.transport.FrameFormat;
import org.quorumail.gossip.transport.KeyRing;
import org.quorumail.gossip.transport.Opener;
import org.quorumail.gossip.transport.Opener.OpenResult;
import org.quorumail.gossip.transport.Sealer;
import org.quorumail.gossip.transport.SocketAddresses;
import org.quorumail.gossip.transport.UdpSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Discovery by multicast: each node announces its address to a multicast group every two seconds.
 * An announcement is sealed like any frame: without the secret, a host is ignored and learns only
 * that nodes exist. Several nodes of one host share the group's port.
 *
 * <p>Threads: one virtual thread announces, one receives. Thread-safe.
 */
public final class MulticastDiscovery implements NodeDiscovery {
  private static final Logger LOG = LoggerFactory.getLogger(MulticastDiscovery.class);
  private static final Duration INTERVAL = Duration.ofSeconds(2);

  /** A node that announces nothing for this time is no longer found. */
  private static final Duration EXPIRY = Duration.ofSeconds(30);

  /** A site-local group may cross some routers, but not leave the site. */
  private static final int HOPS = 4;

  private final DatagramChannel channel;
  private final InetSocketAddress group;
  private final Sealer sealer;
  private final Opener opener;
  private final byte[] announcement;
  private final List<Thread> threads = new ArrayList<>();

  private final Cache<InetSocketAddress, Boolean> announced =
      Caffeine.newBuilder()
          .maximumSize(MAX_FOUND)
          .expireAfterWrite(EXPIRY)
          .executor(Runnable::run)
          .build();

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
   * Joins the group and starts to announce.
   *
   * @param self this node's id
   * @param group multicast address and port
   * @param from a local address of the interface to use
   * @param advertised the address for the others to call
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
      throw new IOException(group + " is not a multicast address");
    }
    boolean isIpv4 = group.getAddress() instanceof java.net.Inet4Address;
    DatagramChannel channel =
        DatagramChannel.open(isIpv4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6);
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
          "cannot join %s on the interface of %s (%s)"
              .formatted(group, from.getHostAddress(), e.getMessage()),
          e);
    }
    MulticastDiscovery discovery =
        new MulticastDiscovery(
            ring, self, group, channel, SocketAddresses.toNodeAddress(advertised));
    discovery.start("gossip-multicast-announce", discovery::announceLoop);
    discovery.start("gossip-multicast-receive", discovery::receiveLoop);
    return discovery;
  }

  private void start(String name, Runnable loop) {
    threads.add(Thread.ofVirtual().name(name).start(loop));
  }

  @Override
  public void replaceKeys(KeyRing ring) {
    opener.replaceKeys(ring);
    sealer.replaceKeys(ring);
  }

  @Override
  public List<InetSocketAddress> find() {
    announced.cleanUp();
    return List.copyOf(announced.asMap().keySet());
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("event=gossip_multicast_close_failed reason=\"{}\"", e.getMessage());
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
        LOG.debug("event=gossip_multicast_not_sent group={} reason=\"{}\"", group, e.getMessage());
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
        LOG.debug("event=gossip_multicast_not_read reason=\"{}\"", e.getMessage());
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
    announced.put(new InetSocketAddress(InetAddress.getByAddress(raw), port), true);
  }
}
