package org.quorumail.gossip.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicStreamChannel;
import io.netty.handler.codec.quic.QuicStreamPriority;
import io.netty.handler.codec.quic.QuicStreamType;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;

/**
 * The streams of one connection that this end writes: one per {@link StreamClass}, opened with its
 * first frame. Used by the event loop.
 */
final class QuicOutboundStreams {
  private final NodeAddress self;
  private final Events events;
  private final Map<StreamClass, OutboundStream> streams = new EnumMap<>(StreamClass.class);
  private @Nullable QuicChannel channel;

  /** One stream, and the bytes written to it that the network has not accepted yet. */
  private static final class OutboundStream {
    private final ArrayDeque<ByteBuf> framesBeforeOpen = new ArrayDeque<>();
    private @Nullable QuicStreamChannel stream;
    private long inFlight;
  }

  /** The connection's reactions. */
  interface Events {
    void onStreamOpened();

    /** A stream has room again. */
    void onWritten();

    /** A stream failed: the other end refuses one only when it ends the connection. */
    void onStreamFailed(Throwable cause);
  }

  /**
   * @param self the address for answers
   */
  QuicOutboundStreams(NodeAddress self, Events events) {
    this.self = self;
    this.events = events;
  }

  /** The bytes written and not yet accepted by the network. */
  long inFlight(StreamClass streamClass) {
    OutboundStream out = streams.get(streamClass);
    return out == null ? 0 : out.inFlight;
  }

  boolean isDrained() {
    return streams.values().stream().allMatch(out -> out.inFlight == 0);
  }

  void write(StreamClass streamClass, byte[] body) {
    OutboundStream out = streams.computeIfAbsent(streamClass, l -> new OutboundStream());
    ByteBuf frame =
        Unpooled.directBuffer(Integer.BYTES + body.length).writeInt(body.length).writeBytes(body);
    out.inFlight += frame.readableBytes();
    if (out.stream != null) {
      send(out, out.stream, frame);
      return;
    }
    out.framesBeforeOpen.add(frame);
    if (channel != null && out.framesBeforeOpen.size() == 1) openStream(channel, streamClass, out);
  }

  /** Opens the streams whose frames wait, and further ones when they are first written to. */
  void open(QuicChannel on) {
    channel = on;
    streams.forEach((streamClass, out) -> openStream(on, streamClass, out));
  }

  private void openStream(QuicChannel on, StreamClass streamClass, OutboundStream out) {
    on.createStream(QuicStreamType.UNIDIRECTIONAL, new FailureHandler())
        .addListener(
            (Future<QuicStreamChannel> made) -> {
              if (made.isSuccess()) onOpened(streamClass, out, made.getNow());
              else events.onStreamFailed(made.cause());
            });
  }

  private void onOpened(StreamClass streamClass, OutboundStream out, QuicStreamChannel stream) {
    events.onStreamOpened();
    stream.updatePriority(new QuicStreamPriority(streamClass.urgency(), false));
    ByteBuf head = stream.alloc().directBuffer(1 + QuicFormat.MAX_RETURN_ADDRESS);
    head.writeByte(streamClass.code());
    QuicFormat.writeAddress(self, head);
    stream.write(head);
    out.stream = stream;
    while (!out.framesBeforeOpen.isEmpty()) send(out, stream, out.framesBeforeOpen.remove());
  }

  private void send(OutboundStream out, QuicStreamChannel stream, ByteBuf frame) {
    int length = frame.readableBytes();
    stream
        .writeAndFlush(frame)
        .addListener(
            written -> {
              out.inFlight -= length;
              assert out.inFlight >= 0 : "more bytes were written than were in flight";
              if (written.isSuccess()) events.onWritten();
            });
  }

  /** Releases the frames that were never sent. */
  void clear() {
    streams.values().forEach(out -> out.framesBeforeOpen.forEach(ReferenceCountUtil::release));
    streams.clear();
    channel = null;
  }

  private final class FailureHandler extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      events.onStreamFailed(cause);
    }
  }
}
