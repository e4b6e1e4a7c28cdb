package org.quorumail.gossip.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import org.quorumail.gossip.NodeAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The UDP socket and the thread that reads it. */
public final class UdpSocket implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UdpSocket.class);

  /** This node sends at most 1,400 bytes; a node with a larger MTU sends more, but not 2,048. */
  public static final int MAX_RECEIVED_BYTES = 2_048;

  /** Holds arriving datagrams while this process pauses; the kernel may grant less. */
  static final int SOCKET_BUFFER = 1 << 20;

  private final DatagramChannel channel;
  private final Thread reader;

  /** The owner of the socket; each buffer is reused after the call. */
  interface DatagramHandler {
    void onDatagram(NodeAddress from, ByteBuffer frame);

    void onTooLong();
  }

  private UdpSocket(DatagramChannel channel, DatagramHandler handler) {
    this.channel = channel;
    this.reader =
        Thread.ofPlatform().name("gossip-udp").daemon().unstarted(() -> readLoop(handler));
  }

  /** Binds the socket and starts to read it. */
  static UdpSocket bind(InetAddress address, int port, DatagramHandler handler) throws IOException {
    DatagramChannel channel = DatagramChannel.open(family(address));
    try {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER);
      channel.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
      channel.bind(new InetSocketAddress(address, port));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    UdpSocket socket = new UdpSocket(channel, handler);
    socket.reader.start();
    return socket;
  }

  private static ProtocolFamily family(InetAddress address) {
    boolean isIpv4 = address instanceof java.net.Inet4Address;
    return isIpv4 ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
  }

  int port() throws IOException {
    return ((InetSocketAddress) channel.getLocalAddress()).getPort();
  }

  /** Never waits for long: a full socket buffer drops. */
  void send(NodeAddress to, byte[] frame) {
    try {
      channel.send(ByteBuffer.wrap(frame), SocketAddresses.toSocketAddress(to));
    } catch (ClosedChannelException e) {
      LOG.trace("event=gossip_socket_closed");
    } catch (IOException | java.nio.channels.UnsupportedAddressTypeException e) {
      LOG.debug("event=gossip_datagram_not_sent to={} reason=\"{}\"", to, e.getMessage());
    }
  }

  private void readLoop(DatagramHandler handler) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(MAX_RECEIVED_BYTES + 1);
    while (channel.isOpen()) {
      try {
        buffer.clear();
        InetSocketAddress from = (InetSocketAddress) channel.receive(buffer);
        buffer.flip();
        if (from == null) continue;
        if (buffer.remaining() > MAX_RECEIVED_BYTES) handler.onTooLong();
        else handler.onDatagram(SocketAddresses.toNodeAddress(from), buffer);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        LOG.debug("event=gossip_datagram_not_read reason=\"{}\"", e.getMessage());
      }
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
      reader.interrupt();
    } catch (IOException e) {
      LOG.debug("event=gossip_close_failed reason=\"{}\"", e.getMessage());
    }
  }
}
