package org.quorumail.gossip.transport;

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
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.driver.NeighbourQueue;
import org.quorumail.gossip.plumtree.PlumtreeMetric;
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
    implements QuicStreamReader.Events, QuicOutboundStreams.Events {
  private static final Logger log = LoggerFactory.getLogger(QuicConnection.class);

  /**
   * Nothing heard for so long, and the connection is gone: longer than a process stands still for 3
   * s, and soon, because nothing else tells of a process that was killed.
   */
  static final Duration IDLE_TIMEOUT = Duration.ofSeconds(4);

  /** How often a neighbour hears something. */
  private static final Duration KEEP_ALIVE_INTERVAL = IDLE_TIMEOUT.dividedBy(3);

  /** Datagrams that wait for the handshake. */
  private static final int MAX_PENDING_DATAGRAMS = 32;

  /** Bytes of one class of broadcasts on their way; the rest waits in the queue, by class. */
  private static final int MAX_IN_FLIGHT = 64 << 10;

  /** Bytes of membership on their way: its largest view. */
  private static final int MAX_MEMBERSHIP_IN_FLIGHT = 8 << 20;

  private final QuicTransport transport;
  private final boolean isOutbound;
  private final QuicOutboundStreams streams;
  private final ArrayDeque<byte[]> pendingDatagrams = new ArrayDeque<>();
  private final AtomicBoolean isWoken = new AtomicBoolean();
  private @Nullable QuicChannel channel;
  private @Nullable PeerAddress peer;
  private @Nullable NodeAddress returnAddress;
  private Set<String> certificateNames = Set.of();
  private @Nullable NeighbourQueue neighbourQueue;
  private boolean open;
  private boolean ended;
  private boolean wroteRecently;
  private boolean authenticationFailed;

  private QuicConnection(QuicTransport transport, @Nullable PeerAddress called) {
    this.transport = transport;
    this.streams = new QuicOutboundStreams(transport.self(), this);
    this.isOutbound = called != null;
    this.peer = called;
  }

  /** To be given a channel that calls this peer. */
  static QuicConnection outbound(QuicTransport transport, PeerAddress peer) {
    return new QuicConnection(transport, peer);
  }

  /** For somebody who has called. */
  static QuicConnection inbound(QuicTransport transport) {
    return new QuicConnection(transport, null);
  }

  boolean isOutbound() {
    return isOutbound;
  }

  boolean isClosed() {
    return ended;
  }

  /** Whom it was to reach, or who it turned out to be. */
  Optional<PeerAddress> peer() {
    return Optional.ofNullable(peer);
  }

  /** Of the certificate that the other end has shown. */
  Set<String> certificateNames() {
    return certificateNames;
  }

  /** Whether what is for this peer may go over it: to nobody else than who has proven the name. */
  boolean isUsableFor(PeerAddress to) {
    return to.nodeId().isEmpty() || mayRepresent(to.nodeId());
  }

  /** Whether an address may go over to another connection that says it answers there. */
  boolean yieldsRouteTo(QuicConnection other) {
    return ended
        || (open
            ? other.certificateNames.containsAll(certificateNames)
            : peer == null || other.isUsableFor(peer));
  }

  private boolean mayRepresent(String name) {
    if (open) return certificateNames.contains(name);
    return peer == null || peer.nodeId().isEmpty() || peer.nodeId().equals(name);
  }

  /** Whether somebody has to know when it ends: it is a neighbour's, or something has not left. */
  boolean hasUndelivered() {
    return neighbourQueue != null || !streams.isDrained();
  }

  /** The other end did not believe in this one, or this one in it. */
  boolean hasAuthenticationFailed() {
    return authenticationFailed;
  }

  // ---- what goes out

  void sendDatagram(byte[] body) {
    QuicChannel to = channel;
    if (ended) return;
    if (!open || to == null) {
      if (pendingDatagrams.size() < MAX_PENDING_DATAGRAMS) pendingDatagrams.add(body);
      return;
    }
    ByteBuf out = to.alloc().directBuffer(QuicFormat.MAX_RETURN_ADDRESS + body.length);
    QuicFormat.writeAddress(transport.self(), out);
    out.writeBytes(body);
    to.writeAndFlush(out);
    transport.count(PlumtreeMetric.QUIC_DATAGRAMS_SENT);
  }

  /** False when it cannot be sent. */
  boolean sendMembership(byte[] body) {
    long inFlight = streams.inFlight(StreamClass.MEMBERSHIP);
    if (ended || inFlight + body.length > MAX_MEMBERSHIP_IN_FLIGHT) return false;
    write(StreamClass.MEMBERSHIP, body);
    return true;
  }

  /** From now on also what this queue holds goes out. */
  void attachQueue(PeerAddress named, NeighbourQueue queue) {
    peer = named;
    neighbourQueue = queue;
    if (!open || verifyNodeId(named)) queue.setOnAvailable(this::wake);
  }

  /** Ends it when another node answers at that address; a seed is whoever answers. */
  private boolean verifyNodeId(PeerAddress named) {
    if (named.nodeId().isEmpty() || certificateNames.contains(named.nodeId())) return true;
    transport.onDropped(DropReason.OTHER_NODE);
    close();
    return false;
  }

  void detachQueue() {
    neighbourQueue = null;
  }

  /** There is something in the queue; from any thread. */
  private void wake() {
    if (isWoken.compareAndSet(false, true)) transport.post(this::drainQueue);
  }

  private void drainQueue() {
    isWoken.set(false);
    while (open && !ended && neighbourQueue != null) {
      NeighbourQueue.QueuedMessage next =
          neighbourQueue
              .poll(p -> streams.inFlight(StreamClass.of(p)) < MAX_IN_FLIGHT)
              .orElse(null);
      if (next == null) return;
      write(StreamClass.of(next.priority()), transport.encodeBody(List.of(next.bytes())));
    }
  }

  private void write(StreamClass lane, byte[] body) {
    wroteRecently = true;
    streams.write(lane, body);
  }

  @Override
  public void onStreamOpened() {
    transport.count(PlumtreeMetric.QUIC_STREAMS_OPENED);
  }

  @Override
  public void onWritten() {
    drainQueue();
  }

  @Override
  public void onStreamFailed(Throwable cause) {
    log.debug("gossip_stream_failed peer={} reason=\"{}\"", peer, cause.getMessage());
    close();
  }

  private void sendKeepAlive() {
    if (open && !ended && neighbourQueue != null && !wroteRecently)
      write(StreamClass.MEMBERSHIP, FrameBody.KEEP_ALIVE);
    wroteRecently = false;
  }

  // ---- what comes in

  @Override
  public void onBody(NodeAddress from, byte[] body) {
    receive(from, body, SealedStream.MAX_DECOMPRESSED, true);
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
      receive(read.from(), read.body(), SealedTransport.MAX_DECOMPRESSED, false);
    } catch (MalformedFrame e) {
      onProtocolError(DropReason.MALFORMED);
    } finally {
      ReferenceCountUtil.release(datagram);
    }
  }

  private void receive(NodeAddress from, byte[] body, int maxInflated, boolean reliable) {
    if (returnAddress == null) {
      returnAddress = from;
      if (peer == null) peer = new PeerAddress(from, "");
    }
    boolean isSame = returnAddress.equals(from);
    if (!isSame || !transport.onBody(this, from, body, maxInflated, reliable)) close();
    if (!isSame) transport.onDropped(DropReason.MALFORMED);
  }

  @Override
  public void onProtocolError(DropReason reason) {
    transport.onDropped(reason);
    close();
  }

  // ---- its life

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    QuicChannel mine = (QuicChannel) context.channel();
    channel = mine;
    mine.closeFuture().addListener(closed -> ended());
    if (isOutbound) return;
    if (!transport.admit(this)) {
      close();
      return;
    }
    long patience = QuicTransport.HANDSHAKE_TIMEOUT.toMillis();
    mine.eventLoop().schedule(this::closeUnlessOpen, patience, TimeUnit.MILLISECONDS);
  }

  private void closeUnlessOpen() {
    if (!open) close();
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (ended) return;
    certificateNames =
        QuicTls.peerCertificate((QuicChannel) context.channel())
            .map(transport::certificateNames)
            .orElse(Set.of());
    if (peer != null && !verifyNodeId(peer)) return;
    open = true;
    transport.onOpened(this);
    while (!pendingDatagrams.isEmpty()) sendDatagram(pendingDatagrams.remove());
    streams.open((QuicChannel) context.channel());
    long pause = KEEP_ALIVE_INTERVAL.toMillis();
    var signs =
        context
            .channel()
            .eventLoop()
            .scheduleAtFixedRate(this::sendKeepAlive, pause, pause, TimeUnit.MILLISECONDS);
    context.channel().closeFuture().addListener(closed -> signs.cancel(false));
    drainQueue();
    context.fireChannelActive();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof QuicConnectionCloseEvent close && close.isTlsError()) {
      authenticationFailed = true;
      close(); // what is left of it would only wait for late packets
    }
    if (event instanceof QuicPathEvent.PeerMigrated) {
      transport.count(PlumtreeMetric.QUIC_MIGRATIONS);
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    onFailure(cause);
  }

  /** The call came to nothing, or the handshake, or what holds the connection together. */
  void onFailure(Throwable cause) {
    log.debug("gossip_quic_failed peer={} reason=\"{}\"", peer, cause.getMessage());
    if (QuicTls.isHandshakeFailure(cause)) authenticationFailed = true;
    // when a handshake fails the codec itself tells the other end why, if it is given the time
    if (open) close();
    if (channel == null) ended();
  }

  /** Ends it, with a word to the other end. */
  void close() {
    Channel mine = channel;
    if (mine != null) mine.close();
  }

  private void ended() {
    if (ended) return;
    ended = true;
    transport.onClosed(this, open);
    pendingDatagrams.clear();
    streams.clear();
    neighbourQueue = null;
  }
}
