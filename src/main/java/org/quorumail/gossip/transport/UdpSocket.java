package org.quorumail.gossip.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import org.quorumail.gossip.NodeAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The UDP socket and the thread that reads it. */
public final class UdpSocket implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(UdpSocket.class);

  /** We send at most 1,400; a node with a larger MTU may send more, but nothing near this. */
  public static final int MAX_RECEIVED_BYTES = 2_048;

  /** Holds what arrives while this process stands still for a moment; the kernel may give less. */
  static final int SOCKET_BUFFER = 1 << 20;

  private final DatagramChannel channel;
  private final Thread reader;

  /** Takes a datagram; the buffer is used again afterwards. */
  interface DatagramHandler {
    void onDatagram(NodeAddress from, ByteBuffer frame);

    void onTooLong();
  }

  private UdpSocket(DatagramChannel channel, DatagramHandler sink) {
    this.channel = channel;
    this.reader = Thread.ofPlatform().name("gossip-udp").daemon().unstarted(() -> readLoop(sink));
  }

  static UdpSocket bind(InetAddress address, int port, DatagramHandler sink) throws IOException {
    DatagramChannel channel = DatagramChannel.open(family(address));
    try {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER);
      channel.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
      channel.bind(new InetSocketAddress(address, port));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    UdpSocket datagrams = new UdpSocket(channel, sink);
    datagrams.reader.start();
    return datagrams;
  }

  private static ProtocolFamily family(InetAddress address) {
    boolean v4 = address instanceof java.net.Inet4Address;
    return v4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
  }

  int port() throws IOException {
    return ((InetSocketAddress) channel.getLocalAddress()).getPort();
  }

  /** Never waits for long: a full socket buffer drops. */
  void send(NodeAddress to, byte[] frame) {
    try {
      channel.send(ByteBuffer.wrap(frame), socketAddress(to));
    } catch (ClosedChannelException e) {
      log.trace("gossip_closed");
    } catch (IOException | java.nio.channels.UnsupportedAddressTypeException e) {
      log.debug("gossip_datagram_not_sent to={} reason=\"{}\"", to, e.getMessage());
    }
  }

  private void readLoop(DatagramHandler sink) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(MAX_RECEIVED_BYTES + 1);
    while (channel.isOpen()) {
      try {
        buffer.clear();
        InetSocketAddress from = (InetSocketAddress) channel.receive(buffer);
        buffer.flip();
        if (from == null) continue;
        if (buffer.remaining() > MAX_RECEIVED_BYTES) sink.onTooLong();
        else sink.onDatagram(address(from), buffer);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        log.debug("gossip_datagram_not_read reason=\"{}\"", e.getMessage());
      }
    }
  }

  public static NodeAddress address(InetSocketAddress socket) {
    return NodeAddress.of(socket.getAddress().getAddress(), socket.getPort());
  }

  public static InetSocketAddress socketAddress(NodeAddress address) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(address.raw()), address.port());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address has 4 or 16 bytes", e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
      reader.interrupt();
    } catch (IOException e) {
      log.debug("gossip_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
