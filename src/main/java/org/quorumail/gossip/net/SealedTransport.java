package org.quorumail.gossip.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.net.Opener.Opened;

/**
 * UDP for what may get lost, TCP on the same port for what is long or has to arrive; both sealed
 * with the keys of the ring. Whoever has the secret is believed whatever it says, also who it is: a
 * name that is proven takes a certificate, see {@link QuicTransport}. Threads: one reads datagrams,
 * see {@link Streams} for the rest.
 */
final class SealedTransport implements Transport {
  /** Fits an Ethernet frame with IPv6 and a tunnel or two around it; memberlist's figure. */
  static final int DATAGRAM = 1_400;

  /** What a compressed datagram may inflate to: far more than we put in. */
  static final int MAX_INFLATED = 64 << 10;

  /** 1.3 Mbit/s to each neighbour: more than events and loads ever need, less than any LAN has. */
  private static final int DATAGRAM_BUDGET = 16 << 10;

  private final Sealer sealer;
  private final Opener opener;
  private final Compression compression;
  private final Receiver receiver;
  private final Datagrams datagrams;
  private final Streams streams;
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
    this.streams = Streams.bind(address, port, compression, new StreamHandshakes(), receiver);
    try {
      this.datagrams = Datagrams.bind(address, streams.port(), new DatagramSink());
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
  static SealedTransport bind(
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
    return DATAGRAM - FrameFormat.OVERHEAD - Body.OVERHEAD;
  }

  @Override
  public void send(Peer to, List<byte[]> messages) {
    byte[] body = Body.write(messages, compression);
    datagrams.send(to.address(), sealer.seal(FrameFormat.DATAGRAM, tag(to), body));
  }

  @Override
  public void sendReliably(Peer to, byte[] message) {
    streams.send(to, Body.write(List.of(message), compression));
  }

  @Override
  public void keep(Peer neighbour, NeighbourQueue queue) {
    streams.keep(neighbour, queue);
  }

  @Override
  public void release(Peer neighbour) {
    streams.release(neighbour);
  }

  @Override
  public int datagramBudget() {
    return DATAGRAM_BUDGET;
  }

  @Override
  public void use(KeyRing changed) {
    ring = changed;
    opener.use(changed);
    sealer.use(changed);
  }

  @Override
  public void close() {
    datagrams.close();
    streams.close();
  }

  private static OptionalInt tag(Peer to) {
    return to.name().isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of(FrameFormat.receiver(to.name()));
  }

  private final class DatagramSink implements Datagrams.Sink {
    @Override
    public void datagram(Address from, ByteBuffer frame) {
      switch (opener.open(FrameFormat.DATAGRAM, frame)) {
        case Opened.Payload payload ->
            receiver.body(from, Optional.empty(), payload.bytes(), MAX_INFLATED, false);
        case Opened.Dropped dropped -> receiver.dropped(dropped.reason());
      }
    }

    @Override
    public void tooLong() {
      receiver.dropped(DropReason.TOO_LONG);
    }
  }

  private final class StreamHandshakes implements Streams.Handshakes {
    @Override
    public SealedStream prove(Socket socket, Peer to) throws IOException {
      return SealedStream.call(socket, ring, sealer, tag(to));
    }

    @Override
    public SealedStream check(Socket socket) throws IOException {
      return SealedStream.answer(socket, ring, opener);
    }
  }
}
