package org.quorumail.gossip.net;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicConnectionCloseEvent;
import io.netty.handler.codec.quic.QuicPathEvent;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.PlumtreeMetric;
import org.quorumail.gossip.net.QuicFormat.Lane;
import org.quorumail.gossip.net.Transport.Peer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One QUIC connection with another node, from the call or the first packet to its end:
 *
 * <pre>
 *   calling ──▶ open ──▶ ended      the other end has proven itself; nothing is read or sent before
 *      └─────────────────▲
 * </pre>
 *
 * Used by the event loop, except {@link #wake}.
 */
final class QuicConnection extends ChannelInboundHandlerAdapter
    implements QuicStreamReader.Events, QuicLanes.Events {
  private static final Logger log = LoggerFactory.getLogger(QuicConnection.class);

  /**
   * Nothing heard for so long, and the connection is gone: longer than a process stands still for 3
   * s, and soon, because nothing else tells of a process that was killed.
   */
  static final Duration IDLE = Duration.ofSeconds(4);

  /** How often a neighbour hears something. */
  private static final Duration KEEP_ALIVE = IDLE.dividedBy(3);

  /** Datagrams that wait for the handshake. */
  private static final int MAX_WAITING = 32;

  /** Bytes of one class of broadcasts on their way; the rest waits in the queue, by class. */
  private static final int MAX_IN_FLIGHT = 64 << 10;

  /** Bytes of membership on their way: its largest view. */
  private static final int MAX_MEMBERSHIP_IN_FLIGHT = 8 << 20;

  private final QuicTransport transport;
  private final boolean called;
  private final QuicLanes lanes;
  private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
  private final AtomicBoolean isWoken = new AtomicBoolean();
  private @Nullable QuicChannel channel;
  private @Nullable Peer peer;
  private @Nullable Address returnAddress;
  private Set<String> names = Set.of();
  private @Nullable NeighbourQueue neighbour;
  private boolean open;
  private boolean ended;
  private boolean wroteLately;
  private boolean refused;

  private QuicConnection(QuicTransport transport, @Nullable Peer called) {
    this.transport = transport;
    this.lanes = new QuicLanes(transport.self(), this);
    this.called = called != null;
    this.peer = called;
  }

  /** To be given a channel that calls this peer. */
  static QuicConnection calling(QuicTransport transport, Peer peer) {
    return new QuicConnection(transport, peer);
  }

  /** For somebody who has called. */
  static QuicConnection answering(QuicTransport transport) {
    return new QuicConnection(transport, null);
  }

  boolean called() {
    return called;
  }

  boolean isEnded() {
    return ended;
  }

  /** Whom it was to reach, or who it turned out to be. */
  Optional<Peer> peer() {
    return Optional.ofNullable(peer);
  }

  /** Of the certificate that the other end has shown. */
  Set<String> names() {
    return names;
  }

  /** Whether what is for this peer may go over it: to nobody else than who has proven the name. */
  boolean isFor(Peer to) {
    return to.name().isEmpty() || speaksFor(to.name());
  }

  /** Whether an address may go over to another connection that says it answers there. */
  boolean givesWayTo(QuicConnection other) {
    return ended || (open ? other.names.containsAll(names) : peer == null || other.isFor(peer));
  }

  private boolean speaksFor(String name) {
    if (open) return names.contains(name);
    return peer == null || peer.name().isEmpty() || peer.name().equals(name);
  }

  /** Whether somebody has to know when it ends: it is a neighbour's, or something has not left. */
  boolean isMissed() {
    return neighbour != null || !lanes.isDrained();
  }

  /** The other end did not believe in this one, or this one in it. */
  boolean wasRefused() {
    return refused;
  }

  // ---- what goes out

  void datagram(byte[] body) {
    QuicChannel to = channel;
    if (ended) return;
    if (!open || to == null) {
      if (waiting.size() < MAX_WAITING) waiting.add(body);
      return;
    }
    ByteBuf out = to.alloc().directBuffer(QuicFormat.MAX_RETURN_ADDRESS + body.length);
    QuicFormat.writeAddress(transport.self(), out);
    out.writeBytes(body);
    to.writeAndFlush(out);
    transport.count(PlumtreeMetric.QUIC_DATAGRAMS_SENT);
  }

  /** False when it cannot be sent. */
  boolean membership(byte[] body) {
    long inFlight = lanes.inFlight(Lane.MEMBERSHIP);
    if (ended || inFlight + body.length > MAX_MEMBERSHIP_IN_FLIGHT) return false;
    write(Lane.MEMBERSHIP, body);
    return true;
  }

  /** From now on also what this queue holds goes out. */
  void keepFor(Peer named, NeighbourQueue queue) {
    peer = named;
    neighbour = queue;
    if (!open || isProven(named)) queue.drawnBy(this::wake);
  }

  /** Ends it when another node answers at that address; a seed is whoever answers. */
  private boolean isProven(Peer named) {
    if (named.name().isEmpty() || names.contains(named.name())) return true;
    transport.dropped(DropReason.OTHER_NODE);
    end();
    return false;
  }

  void release() {
    neighbour = null;
  }

  /** There is something in the queue; from any thread. */
  private void wake() {
    if (isWoken.compareAndSet(false, true)) transport.post(this::draw);
  }

  private void draw() {
    isWoken.set(false);
    while (open && !ended && neighbour != null) {
      NeighbourQueue.Waiting next =
          neighbour.poll(p -> lanes.inFlight(Lane.of(p)) < MAX_IN_FLIGHT).orElse(null);
      if (next == null) return;
      write(Lane.of(next.priority()), transport.body(List.of(next.bytes())));
    }
  }

  private void write(Lane lane, byte[] body) {
    wroteLately = true;
    lanes.write(lane, body);
  }

  @Override
  public void streamOpened() {
    transport.count(PlumtreeMetric.QUIC_STREAMS_OPENED);
  }

  @Override
  public void written() {
    draw();
  }

  @Override
  public void streamFailed(Throwable cause) {
    log.debug("gossip_stream_failed peer={} reason=\"{}\"", peer, cause.getMessage());
    end();
  }

  private void sayThatWeAreHere() {
    if (open && !ended && neighbour != null && !wroteLately) write(Lane.MEMBERSHIP, Body.NOTHING);
    wroteLately = false;
  }

  // ---- what comes in

  @Override
  public void body(Address from, byte[] body) {
    heard(from, body, SealedStream.MAX_INFLATED, true);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!(message instanceof ByteBuf datagram)) {
      context.fireChannelRead(message); // a new stream of the other end
      return;
    }
    transport.count(PlumtreeMetric.QUIC_DATAGRAMS_RECEIVED);
    try {
      QuicFormat.Datagram read = QuicFormat.readDatagram(datagram);
      heard(read.from(), read.body(), SealedTransport.MAX_INFLATED, false);
    } catch (MalformedFrame e) {
      broken(DropReason.MALFORMED);
    } finally {
      ReferenceCountUtil.release(datagram);
    }
  }

  private void heard(Address from, byte[] body, int maxInflated, boolean reliable) {
    if (returnAddress == null) {
      returnAddress = from;
      if (peer == null) peer = new Peer(from, "");
    }
    boolean isSame = returnAddress.equals(from);
    if (!isSame || !transport.received(this, from, body, maxInflated, reliable)) end();
    if (!isSame) transport.dropped(DropReason.MALFORMED);
  }

  @Override
  public void broken(DropReason reason) {
    transport.dropped(reason);
    end();
  }

  // ---- its life

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    QuicChannel mine = (QuicChannel) context.channel();
    channel = mine;
    mine.closeFuture().addListener(closed -> ended());
    if (called) return;
    if (!transport.mayAnswer(this)) {
      end();
      return;
    }
    long patience = QuicTransport.PATIENCE.toMillis();
    mine.eventLoop().schedule(this::endUnlessOpen, patience, TimeUnit.MILLISECONDS);
  }

  private void endUnlessOpen() {
    if (!open) end();
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (ended) return;
    names = QuicTls.shown((QuicChannel) context.channel()).map(transport::names).orElse(Set.of());
    if (peer != null && !isProven(peer)) return;
    open = true;
    transport.opened(this);
    while (!waiting.isEmpty()) datagram(waiting.remove());
    lanes.open((QuicChannel) context.channel());
    long pause = KEEP_ALIVE.toMillis();
    var signs =
        context
            .channel()
            .eventLoop()
            .scheduleAtFixedRate(this::sayThatWeAreHere, pause, pause, TimeUnit.MILLISECONDS);
    context.channel().closeFuture().addListener(closed -> signs.cancel(false));
    draw();
    context.fireChannelActive();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof QuicConnectionCloseEvent close && close.isTlsError()) {
      refused = true;
      end(); // what is left of it would only wait for late packets
    }
    if (event instanceof QuicPathEvent.PeerMigrated) {
      transport.count(PlumtreeMetric.QUIC_MIGRATIONS);
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    failed(cause);
  }

  /** The call came to nothing, or the handshake, or what holds the connection together. */
  void failed(Throwable cause) {
    log.debug("gossip_quic_failed peer={} reason=\"{}\"", peer, cause.getMessage());
    if (QuicTls.isRefusal(cause)) refused = true;
    // when a handshake fails the codec itself tells the other end why, if it is given the time
    if (open) end();
    if (channel == null) ended();
  }

  /** Ends it, with a word to the other end. */
  void end() {
    Channel mine = channel;
    if (mine != null) mine.close();
  }

  private void ended() {
    if (ended) return;
    ended = true;
    transport.ended(this, open);
    waiting.clear();
    lanes.clear();
    neighbour = null;
  }
}
