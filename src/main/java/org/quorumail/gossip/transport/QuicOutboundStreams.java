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
 * The streams of one connection that this end writes: one per {@link StreamClass}, opened when it
 * first has something to say. Used by the event loop.
 */
final class QuicOutboundStreams {
  private final NodeAddress self;
  private final Events events;
  private final Map<StreamClass, OutboundStream> streams = new EnumMap<>(StreamClass.class);
  private @Nullable QuicChannel channel;

  /** One stream, and how much of what it was given the network has not taken. */
  private static final class OutboundStream {
    private final ArrayDeque<ByteBuf> framesBeforeOpen = new ArrayDeque<>();
    private @Nullable QuicStreamChannel stream;
    private long inFlight;
  }

  /** What the connection makes of it. */
  interface Events {
    void onStreamOpened();

    /** A lane has room again. */
    void onWritten();

    /** A stream of ours failed: the other end only refuses one when it ends the connection. */
    void onStreamFailed(Throwable cause);
  }

  /**
   * @param self where answers go
   */
  QuicOutboundStreams(NodeAddress self, Events events) {
    this.self = self;
    this.events = events;
  }

  /** Bytes that were given and not taken by the network yet. */
  long inFlight(StreamClass lane) {
    OutboundStream out = streams.get(lane);
    return out == null ? 0 : out.inFlight;
  }

  boolean isDrained() {
    return streams.values().stream().allMatch(out -> out.inFlight == 0);
  }

  void write(StreamClass lane, byte[] body) {
    OutboundStream out = streams.computeIfAbsent(lane, l -> new OutboundStream());
    ByteBuf frame =
        Unpooled.directBuffer(Integer.BYTES + body.length).writeInt(body.length).writeBytes(body);
    out.inFlight += frame.readableBytes();
    if (out.stream != null) {
      send(out, out.stream, frame);
      return;
    }
    out.framesBeforeOpen.add(frame);
    if (channel != null && out.framesBeforeOpen.size() == 1) openStream(channel, lane, out);
  }

  /** From now on streams can be opened. */
  void open(QuicChannel on) {
    channel = on;
    streams.forEach((lane, out) -> openStream(on, lane, out));
  }

  private void openStream(QuicChannel on, StreamClass lane, OutboundStream out) {
    on.createStream(QuicStreamType.UNIDIRECTIONAL, new FailureHandler())
        .addListener(
            (Future<QuicStreamChannel> made) -> {
              if (made.isSuccess()) onOpened(lane, out, made.getNow());
              else events.onStreamFailed(made.cause());
            });
  }

  private void onOpened(StreamClass lane, OutboundStream out, QuicStreamChannel stream) {
    events.onStreamOpened();
    stream.updatePriority(new QuicStreamPriority(lane.urgency(), false));
    ByteBuf head = stream.alloc().directBuffer(1 + QuicFormat.MAX_RETURN_ADDRESS);
    head.writeByte(lane.code());
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
              if (written.isSuccess()) events.onWritten();
            });
  }

  /** Gives back what never left. */
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
