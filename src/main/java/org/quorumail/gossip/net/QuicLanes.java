package org.quorumail.gossip.net;

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
import org.quorumail.gossip.Address;
import org.quorumail.gossip.net.QuicFormat.Lane;

/**
 * The streams of one connection that this end writes: one per {@link Lane}, opened when it first
 * has something to say. Used by the event loop.
 */
final class QuicLanes {
  private final Address self;
  private final Events events;
  private final Map<Lane, Outgoing> lanes = new EnumMap<>(Lane.class);
  private @Nullable QuicChannel channel;

  /** One stream, and how much of what it was given the network has not taken. */
  private static final class Outgoing {
    private final ArrayDeque<ByteBuf> beforeOpen = new ArrayDeque<>();
    private @Nullable QuicStreamChannel stream;
    private long inFlight;
  }

  /** What the connection makes of it. */
  interface Events {
    void streamOpened();

    /** A lane has room again. */
    void written();

    /** A stream of ours failed: the other end only refuses one when it ends the connection. */
    void streamFailed(Throwable cause);
  }

  /**
   * @param self where answers go
   */
  QuicLanes(Address self, Events events) {
    this.self = self;
    this.events = events;
  }

  /** Bytes that were given and not taken by the network yet. */
  long inFlight(Lane lane) {
    Outgoing out = lanes.get(lane);
    return out == null ? 0 : out.inFlight;
  }

  boolean isDrained() {
    return lanes.values().stream().allMatch(out -> out.inFlight == 0);
  }

  void write(Lane lane, byte[] body) {
    Outgoing out = lanes.computeIfAbsent(lane, l -> new Outgoing());
    ByteBuf frame =
        Unpooled.directBuffer(Integer.BYTES + body.length).writeInt(body.length).writeBytes(body);
    out.inFlight += frame.readableBytes();
    if (out.stream != null) {
      send(out, out.stream, frame);
      return;
    }
    out.beforeOpen.add(frame);
    if (channel != null && out.beforeOpen.size() == 1) openStream(channel, lane, out);
  }

  /** From now on streams can be opened. */
  void open(QuicChannel on) {
    channel = on;
    lanes.forEach((lane, out) -> openStream(on, lane, out));
  }

  private void openStream(QuicChannel on, Lane lane, Outgoing out) {
    on.createStream(QuicStreamType.UNIDIRECTIONAL, new Failure())
        .addListener(
            (Future<QuicStreamChannel> made) -> {
              if (made.isSuccess()) opened(lane, out, made.getNow());
              else events.streamFailed(made.cause());
            });
  }

  private void opened(Lane lane, Outgoing out, QuicStreamChannel stream) {
    events.streamOpened();
    stream.updatePriority(new QuicStreamPriority(lane.urgency(), false));
    ByteBuf head = stream.alloc().directBuffer(1 + QuicFormat.MAX_RETURN_ADDRESS);
    head.writeByte(lane.code());
    QuicFormat.writeAddress(self, head);
    stream.write(head);
    out.stream = stream;
    while (!out.beforeOpen.isEmpty()) send(out, stream, out.beforeOpen.remove());
  }

  private void send(Outgoing out, QuicStreamChannel stream, ByteBuf frame) {
    int length = frame.readableBytes();
    stream
        .writeAndFlush(frame)
        .addListener(
            written -> {
              out.inFlight -= length;
              if (written.isSuccess()) events.written();
            });
  }

  /** Gives back what never left. */
  void clear() {
    lanes.values().forEach(out -> out.beforeOpen.forEach(ReferenceCountUtil::release));
    lanes.clear();
    channel = null;
  }

  private final class Failure extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      events.streamFailed(cause);
    }
  }
}
