package org.quorumail.gossip.transport;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import org.quorumail.gossip.NodeAddress;

/**
 * The format inside a QUIC connection, big-endian. Either end opens at most one unidirectional
 * stream per {@link StreamClass}. Each stream and each datagram (RFC 9221) begins with the address
 * for answers, so neither their order nor the caller's port matters.
 *
 * <pre>
 * datagram: return address, {@link FrameBody}
 * stream:   class (1), return address, then frames: length (4), {@link FrameBody}
 * return address: bytes of the IP address (1: 4 or 16), the address, port (2)
 * </pre>
 */
final class QuicFormat {
  /** A page of a membership view or some payloads of the largest size, with room. */
  static final int MAX_FRAME = SealedStream.MAX_FRAME;

  static final int MAX_RETURN_ADDRESS = 1 + 16 + Short.BYTES;

  private QuicFormat() {}

  static void writeAddress(NodeAddress address, ByteBuf out) {
    byte[] raw = address.raw();
    out.writeByte(raw.length).writeBytes(raw).writeShort(address.port());
  }

  /** Reads an address; empty while bytes are missing, and then nothing is consumed. */
  static Optional<NodeAddress> readAddress(ByteBuf in) throws MalformedFrame {
    if (!in.isReadable()) return Optional.empty();
    int length = in.getByte(in.readerIndex());
    if (length != 4 && length != 16) throw new MalformedFrame("not an IP address");
    if (in.readableBytes() < 1 + length + Short.BYTES) return Optional.empty();
    byte[] raw = new byte[length];
    in.skipBytes(1).readBytes(raw);
    int port = in.readUnsignedShort();
    if (port == 0) throw new MalformedFrame("not a port");
    return Optional.of(NodeAddress.of(raw, port));
  }

  /** The content of one datagram. */
  record Datagram(NodeAddress from, byte[] body) {}

  static Datagram readDatagram(ByteBuf in) throws MalformedFrame {
    NodeAddress from = readAddress(in).orElseThrow(() -> new MalformedFrame("a cut address"));
    byte[] body = new byte[in.readableBytes()];
    in.readBytes(body);
    return new Datagram(from, body);
  }
}
