package org.quorumail.gossip.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;

/**
 * The reader of one stream that the other end has opened, see {@link QuicFormat}. It never holds
 * more than one frame. Used by the event loop.
 */
final class QuicStreamReader extends ByteToMessageDecoder {
  private final Events events;
  private @Nullable NodeAddress from;
  private boolean hasStreamClass;

  /** The connection's reactions. */
  interface Events {
    void onBody(NodeAddress from, byte[] body);

    /** The connection must end. */
    void onProtocolError(DropReason reason);
  }

  QuicStreamReader(Events events) {
    this.events = events;
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
    try {
      NodeAddress sender = from;
      if (sender == null) {
        sender = readHead(in);
        if (sender == null) return;
      }
      if (in.readableBytes() < Integer.BYTES) return;
      int length = in.getInt(in.readerIndex());
      if (length < FrameBody.OVERHEAD) throw new MalformedFrame("an empty body");
      if (length > QuicFormat.MAX_FRAME) {
        fail(in, DropReason.TOO_LONG);
        return;
      }
      if (in.readableBytes() < Integer.BYTES + length) return;
      byte[] body = new byte[length];
      in.skipBytes(Integer.BYTES).readBytes(body);
      events.onBody(sender, body);
    } catch (MalformedFrame e) {
      fail(in, DropReason.MALFORMED);
    }
  }

  private @Nullable NodeAddress readHead(ByteBuf in) throws MalformedFrame {
    if (!hasStreamClass) {
      if (!in.isReadable()) return null;
      int code = in.readByte();
      if (StreamClass.ofCode(code).isEmpty())
        throw new MalformedFrame("an unknown class of stream");
      hasStreamClass = true;
    }
    from = QuicFormat.readAddress(in).orElse(null);
    return from;
  }

  private void fail(ByteBuf in, DropReason reason) {
    in.skipBytes(in.readableBytes());
    events.onProtocolError(reason);
  }
}
