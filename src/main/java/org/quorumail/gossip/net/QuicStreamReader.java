package org.quorumail.gossip.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.Address;

/**
 * Reads one stream that the other end has opened, see {@link QuicFormat}; never holds more than one
 * frame. Used by the event loop.
 */
final class QuicStreamReader extends ByteToMessageDecoder {
  private final Events events;
  private @Nullable Address from;
  private boolean hasLane;

  /** What the connection does with what was read. */
  interface Events {
    void body(Address from, byte[] body);

    /** The connection must end. */
    void broken(DropReason reason);
  }

  QuicStreamReader(Events events) {
    this.events = events;
  }

  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
    try {
      Address sender = from;
      if (sender == null) {
        sender = readHead(in);
        if (sender == null) return;
      }
      if (in.readableBytes() < Integer.BYTES) return;
      int length = in.getInt(in.readerIndex());
      if (length < Body.OVERHEAD) throw new MalformedFrame("an empty body");
      if (length > QuicFormat.MAX_FRAME) {
        broken(in, DropReason.TOO_LONG);
        return;
      }
      if (in.readableBytes() < Integer.BYTES + length) return;
      byte[] body = new byte[length];
      in.skipBytes(Integer.BYTES).readBytes(body);
      events.body(sender, body);
    } catch (MalformedFrame e) {
      broken(in, DropReason.MALFORMED);
    }
  }

  private @Nullable Address readHead(ByteBuf in) throws MalformedFrame {
    if (!hasLane) {
      if (!in.isReadable()) return null;
      int code = in.readByte();
      if (QuicFormat.Lane.read(code).isEmpty()) throw new MalformedFrame("no such lane");
      hasLane = true;
    }
    from = QuicFormat.readAddress(in).orElse(null);
    return from;
  }

  private void broken(ByteBuf in, DropReason reason) {
    in.skipBytes(in.readableBytes());
    events.broken(reason);
  }
}
