package org.quorumail.gossip.net;

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
import org.quorumail.gossip.Address;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The UDP socket and the thread that reads it. */
final class Datagrams implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Datagrams.class);

  /** We send at most 1,400; a node with a larger MTU may send more, but nothing near this. */
  static final int MAX_ACCEPTED = 2_048;

  /** Holds what arrives while this process stands still for a moment; the kernel may give less. */
  static final int SOCKET_BUFFER = 1 << 20;

  private final DatagramChannel channel;
  private final Thread reader;

  /** Takes a datagram; the buffer is used again afterwards. */
  interface Sink {
    void datagram(Address from, ByteBuffer frame);

    void tooLong();
  }

  private Datagrams(DatagramChannel channel, Sink sink) {
    this.channel = channel;
    this.reader = Thread.ofPlatform().name("gossip-udp").daemon().unstarted(() -> read(sink));
  }

  static Datagrams bind(InetAddress address, int port, Sink sink) throws IOException {
    DatagramChannel channel = DatagramChannel.open(family(address));
    try {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER);
      channel.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER);
      channel.bind(new InetSocketAddress(address, port));
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    Datagrams datagrams = new Datagrams(channel, sink);
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
  void send(Address to, byte[] frame) {
    try {
      channel.send(ByteBuffer.wrap(frame), socketAddress(to));
    } catch (ClosedChannelException e) {
      log.trace("gossip_closed");
    } catch (IOException | java.nio.channels.UnsupportedAddressTypeException e) {
      log.debug("gossip_datagram_not_sent to={} reason=\"{}\"", to, e.getMessage());
    }
  }

  private void read(Sink sink) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(MAX_ACCEPTED + 1);
    while (channel.isOpen()) {
      try {
        buffer.clear();
        InetSocketAddress from = (InetSocketAddress) channel.receive(buffer);
        buffer.flip();
        if (from == null) continue;
        if (buffer.remaining() > MAX_ACCEPTED) sink.tooLong();
        else sink.datagram(address(from), buffer);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        log.debug("gossip_datagram_not_read reason=\"{}\"", e.getMessage());
      }
    }
  }

  static Address address(InetSocketAddress socket) {
    return Address.of(socket.getAddress().getAddress(), socket.getPort());
  }

  static InetSocketAddress socketAddress(Address address) {
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
