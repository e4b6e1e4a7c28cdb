package org.quorumail.gossip.transport;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.driver.NeighbourQueue;
import org.quorumail.gossip.transport.Opener.OpenResult;

/**
 * UDP for what may get lost, TCP on the same port for what is long or has to arrive; both sealed
 * with the keys of the ring. Whoever has the secret is believed whatever it says, also who it is: a
 * name that is proven takes a certificate, see {@link QuicTransport}. Threads: one reads datagrams,
 * see {@link TcpStreams} for the rest.
 */
public final class SealedTransport implements Transport {
  /** Fits an Ethernet frame with IPv6 and a tunnel or two around it; memberlist's figure. */
  static final int MAX_DATAGRAM_BYTES = 1_400;

  /** What a compressed datagram may inflate to: far more than we put in. */
  static final int MAX_DECOMPRESSED = 64 << 10;

  /** 1.3 Mbit/s to each neighbour: more than events and loads ever need, less than any LAN has. */
  private static final int DATAGRAM_BUDGET = 16 << 10;

  private final Sealer sealer;
  private final Opener opener;
  private final Compression compression;
  private final Receiver receiver;
  private final UdpSocket datagrams;
  private final TcpStreams streams;
  private volatile KeyRing ring;

  private SealedTransport(
      KeyRing ring,
      String self,
      Compression compression,
      InetAddress address,
      int port,
      Receiver receiver)
      throws IOException {
    this.ring = ring;
    this.sealer = new Sealer(ring, Clock.systemUTC());
    this.opener = new Opener(ring, self, Clock.systemUTC());
    this.compression = compression;
    this.receiver = receiver;
    this.streams = TcpStreams.bind(address, port, compression, new StreamHandshakes(), receiver);
    try {
      this.datagrams = UdpSocket.bind(address, streams.port(), new DatagramOpener());
    } catch (IOException e) {
      streams.close();
      throw e;
    }
  }

  /**
   * @param self this node's id
   * @param port 0: any that is free, see {@link #port}
   * @throws IOException when the port is taken
   */
  public static SealedTransport bind(
      KeyRing ring,
      String self,
      Compression compression,
      InetAddress address,
      int port,
      Receiver receiver)
      throws IOException {
    return new SealedTransport(ring, self, compression, address, port, receiver);
  }

  @Override
  public int port() {
    return streams.port();
  }

  @Override
  public int datagramCapacity() {
    return MAX_DATAGRAM_BYTES - FrameFormat.OVERHEAD - FrameBody.OVERHEAD;
  }

  @Override
  public void send(PeerAddress to, List<byte[]> messages) {
    byte[] body = FrameBody.encode(messages, compression);
    datagrams.send(to.address(), sealer.seal(FrameFormat.DATAGRAM, receiverTag(to), body));
  }

  @Override
  public void sendOverStream(PeerAddress to, byte[] message) {
    streams.send(to, FrameBody.encode(List.of(message), compression));
  }

  @Override
  public void connect(PeerAddress neighbour, NeighbourQueue queue) {
    streams.connect(neighbour, queue);
  }

  @Override
  public void disconnect(PeerAddress neighbour) {
    streams.disconnect(neighbour);
  }

  @Override
  public int datagramBudget() {
    return DATAGRAM_BUDGET;
  }

  @Override
  public void replaceKeys(KeyRing changed) {
    ring = changed;
    opener.replaceKeys(changed);
    sealer.replaceKeys(changed);
  }

  @Override
  public void close() {
    datagrams.close();
    streams.close();
  }

  private static OptionalInt receiverTag(PeerAddress to) {
    return to.nodeId().isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of(FrameFormat.receiverTag(to.nodeId()));
  }

  private final class DatagramOpener implements UdpSocket.DatagramHandler {
    @Override
    public void onDatagram(NodeAddress from, ByteBuffer frame) {
      switch (opener.open(FrameFormat.DATAGRAM, frame)) {
        case OpenResult.Payload payload ->
            receiver.onBody(from, Optional.empty(), payload.bytes(), MAX_DECOMPRESSED, false);
        case OpenResult.Dropped dropped -> receiver.onDropped(dropped.reason());
      }
    }

    @Override
    public void onTooLong() {
      receiver.onDropped(DropReason.TOO_LONG);
    }
  }

  private final class StreamHandshakes implements TcpStreams.Handshakes {
    @Override
    public SealedStream connect(Socket socket, PeerAddress to) throws IOException {
      return SealedStream.connect(socket, ring, sealer, receiverTag(to));
    }

    @Override
    public SealedStream accept(Socket socket) throws IOException {
      return SealedStream.accept(socket, ring, opener);
    }
  }
}
