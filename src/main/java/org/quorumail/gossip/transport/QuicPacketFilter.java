package org.quorumail.gossip.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DatagramPacket;
import io.netty.handler.codec.quic.Quic;
import io.netty.util.ReferenceCountUtil;
import java.util.function.Consumer;
import org.quorumail.gossip.plumtree.PlumtreeMeter;
import org.quorumail.gossip.plumtree.PlumtreeMetric;

/**
 * The filter between the socket and QUIC: counts bytes, and drops packets that no member sends. A
 * packet with a long header (RFC 9000, 17.2) must have version 1; a version negotiation would
 * disclose to scanners what listens here. A first packet must fill 1,200 bytes (RFC 9000, 14.1), so
 * that every answer to it is shorter.
 */
final class QuicPacketFilter extends ChannelDuplexHandler {
  private static final int LONG_HEADER = 0x80;
  private static final int TYPE = 0x30;
  private static final int VERSION_1 = 1;
  private static final int MIN_LONG_HEADER = 7;

  /** First byte, a connection id (20), packet number, and the seal of an empty packet. */
  private static final int MIN_SHORT_HEADER = 1 + Quic.MAX_CONN_ID_LEN + 1 + 16;

  private static final int MIN_INITIAL = 1_200;

  private final PlumtreeMeter meter;
  private final Consumer<DropReason> onDropped;

  QuicPacketFilter(PlumtreeMeter meter, Consumer<DropReason> drops) {
    this.meter = meter;
    this.onDropped = drops;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof DatagramPacket packet) {
      DropReason reason = dropReason(packet.content());
      if (reason != null) {
        ReferenceCountUtil.release(packet);
        onDropped.accept(reason);
        return;
      }
      meter.count(PlumtreeMetric.QUIC_BYTES_RECEIVED, packet.content().readableBytes());
    }
    context.fireChannelRead(message);
  }

  static @org.jspecify.annotations.Nullable DropReason dropReason(ByteBuf packet) {
    int length = packet.readableBytes();
    if (length < MIN_LONG_HEADER) return DropReason.TOO_SHORT;
    int first = packet.getUnsignedByte(packet.readerIndex());
    if ((first & LONG_HEADER) == 0) {
      return length < MIN_SHORT_HEADER ? DropReason.TOO_SHORT : null;
    }
    if (packet.getInt(packet.readerIndex() + 1) != VERSION_1) return DropReason.VERSION;
    boolean isInitial = (first & TYPE) == 0;
    return isInitial && length < MIN_INITIAL ? DropReason.TOO_SHORT : null;
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    if (message instanceof DatagramPacket packet) {
      meter.count(PlumtreeMetric.QUIC_BYTES_SENT, packet.content().readableBytes());
    }
    context.write(message, promise);
  }
}
