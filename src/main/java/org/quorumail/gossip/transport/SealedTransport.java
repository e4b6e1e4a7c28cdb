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
import org.quorumail.gossip.transport.Opener.OpenResult;

/**
 * UDP for messages that may be lost, and TCP on the same port for long or reliable ones. Both are
 * sealed with the keys of the ring. A holder of the secret is believed in all that it sends, its
 * node id included: only {@link QuicTransport} proves ids, with certificates. Threads: one reads
 * datagrams; {@link TcpStreams} has its own.
 */
public final class SealedTransport implements Transport {
  /** Fits an Ethernet frame with IPv6 and a tunnel or two around it; memberlist's figure. */
  static final int MAX_DATAGRAM_BYTES = 1_400;

  /** The bound of a decompressed datagram: far more than this node ever compresses into one. */
  static final int MAX_DECOMPRESSED = 64 << 10;

  /** 1.3 Mbit/s to each neighbour: more than events and loads ever need, less than any LAN has. */
  private static final int DATAGRAM_BUDGET = 16 << 10;

  private final Sealer sealer;
  private final Opener opener;
  private final Compression compression;
  private final StreamHandshakes handshakes;
  private final UdpSocket datagrams;
  private final TcpStreams streams;

  private SealedTransport(
      Sealer sealer,
      Opener opener,
      Compression compression,
      StreamHandshakes handshakes,
      UdpSocket datagrams,
      TcpStreams streams) {
    this.sealer = sealer;
    this.opener = opener;
    this.compression = compression;
    this.handshakes = handshakes;
    this.datagrams = datagrams;
    this.streams = streams;
  }

  /**
   * Binds both sockets and starts to receive.
   *
   * @param self this node's id
   * @param port 0 for any free port, see {@link #port}
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
    Sealer sealer = new Sealer(ring, Clock.systemUTC());
    Opener opener = new Opener(ring, self, Clock.systemUTC());
    StreamHandshakes handshakes = new StreamHandshakes(ring, sealer, opener);
    TcpStreams streams = TcpStreams.bind(address, port, compression, handshakes, receiver);
    try {
      UdpSocket datagrams =
          UdpSocket.bind(address, streams.port(), new DatagramOpener(opener, receiver));
      return new SealedTransport(sealer, opener, compression, handshakes, datagrams, streams);
    } catch (IOException e) {
      streams.close();
      throw e;
    }
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
  public void connect(PeerAddress neighbour, OutboundQueue queue) {
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
  public void replaceKeys(KeyRing ring) {
    handshakes.ring = ring;
    opener.replaceKeys(ring);
    sealer.replaceKeys(ring);
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

  private record DatagramOpener(Opener opener, Receiver receiver)
      implements UdpSocket.DatagramHandler {
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

  private static final class StreamHandshakes implements TcpStreams.Handshakes {
    private final Sealer sealer;
    private final Opener opener;
    private volatile KeyRing ring;

    StreamHandshakes(KeyRing ring, Sealer sealer, Opener opener) {
      this.ring = ring;
      this.sealer = sealer;
      this.opener = opener;
    }

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
