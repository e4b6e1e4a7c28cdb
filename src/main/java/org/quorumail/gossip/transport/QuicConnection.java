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
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One QUIC connection with another node, from the connect or the first packet to its end:
 *
 * <pre>
 *   handshake ──▶ open ──▶ closed
 *       └───────────────────▲
 * </pre>
 *
 * Open means that both ends have proven their certificates; nothing is read or sent before. Used by
 * the event loop, except {@link #wake}.
 */
final class QuicConnection extends ChannelInboundHandlerAdapter
    implements QuicStreamReader.Events, QuicOutboundStreams.Events {
  private static final Logger LOG = LoggerFactory.getLogger(QuicConnection.class);

  /**
   * The connection closes when it receives nothing for this time. It survives a process that pauses
   * for 3 s, and ends soon, because nothing else reports a killed process.
   */
  static final Duration IDLE_TIMEOUT = Duration.ofSeconds(4);

  /** The longest silence towards a neighbour. */
  private static final Duration KEEP_ALIVE_INTERVAL = IDLE_TIMEOUT.dividedBy(3);

  /** Datagrams that wait for the handshake. */
  private static final int MAX_PENDING_DATAGRAMS = 32;

  /** Bytes in flight of one priority of broadcasts; the rest waits in the queue, by priority. */
  private static final int MAX_IN_FLIGHT = 64 << 10;

  /** Bytes in flight of membership: its largest view. */
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
  private @Nullable OutboundQueue neighbourQueue;
  private boolean open;
  private boolean closed;
  private boolean wroteRecently;
  private boolean authenticationFailed;

  private QuicConnection(QuicTransport transport, @Nullable PeerAddress target) {
    this.transport = transport;
    this.streams = new QuicOutboundStreams(transport.self(), this);
    this.isOutbound = target != null;
    this.peer = target;
  }

  /** The handler of a connection that this node opens. */
  static QuicConnection outbound(QuicTransport transport, PeerAddress peer) {
    return new QuicConnection(transport, peer);
  }

  /** The handler of a connection that another node opens. */
  static QuicConnection inbound(QuicTransport transport) {
    return new QuicConnection(transport, null);
  }

  boolean isOutbound() {
    return isOutbound;
  }

  boolean isClosed() {
    return closed;
  }

  /**
   * The peer that this node connected to, or that has connected; empty before its first message.
   */
  Optional<PeerAddress> peer() {
    return Optional.ofNullable(peer);
  }

  /** The node ids in the other end's certificate. */
  Set<String> certificateNames() {
    return certificateNames;
  }

  /** True when messages for this peer may use this connection: it has proven the peer's id. */
  boolean isUsableFor(PeerAddress to) {
    return to.nodeId().isEmpty() || mayRepresent(to.nodeId());
  }

  /** True when the other connection may take over this one's return address. */
  boolean yieldsRouteTo(QuicConnection other) {
    return closed
        || (open
            ? other.certificateNames.containsAll(certificateNames)
            : peer == null || other.isUsableFor(peer));
  }

  private boolean mayRepresent(String nodeId) {
    if (open) return certificateNames.contains(nodeId);
    return peer == null || peer.nodeId().isEmpty() || peer.nodeId().equals(nodeId);
  }

  /** True when its end must be reported: it is a neighbour's, or has bytes in flight. */
  boolean hasUndelivered() {
    return neighbourQueue != null || !streams.isDrained();
  }

  /** True when one end rejected the other's certificate. */
  boolean hasAuthenticationFailed() {
    return authenticationFailed;
  }

  // ---- sending

  void sendDatagram(byte[] body) {
    QuicChannel to = channel;
    if (closed) return;
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

  /** Sends a body of membership; false when the connection is closed or its buffer full. */
  boolean sendMembership(byte[] body) {
    long inFlight = streams.inFlight(StreamClass.MEMBERSHIP);
    if (closed || inFlight + body.length > MAX_MEMBERSHIP_IN_FLIGHT) return false;
    write(StreamClass.MEMBERSHIP, body);
    return true;
  }

  /** Sends the messages of this queue too, from now on. */
  void attachQueue(PeerAddress named, OutboundQueue queue) {
    peer = named;
    neighbourQueue = queue;
    if (!open || verifyNodeId(named)) queue.setOnAvailable(this::wake);
  }

  /** Closes the connection when another node answers there; a seed's id is not known before. */
  private boolean verifyNodeId(PeerAddress named) {
    if (named.nodeId().isEmpty() || certificateNames.contains(named.nodeId())) return true;
    transport.onDropped(DropReason.OTHER_NODE);
    close();
    return false;
  }

  void detachQueue() {
    neighbourQueue = null;
  }

  /** Schedules {@link #drainQueue}; called from any thread. */
  private void wake() {
    if (isWoken.compareAndSet(false, true)) transport.post(this::drainQueue);
  }

  private void drainQueue() {
    isWoken.set(false);
    while (open && !closed && neighbourQueue != null) {
      OutboundQueue.QueuedMessage next =
          neighbourQueue.poll(c -> streams.inFlight(c) < MAX_IN_FLIGHT).orElse(null);
      if (next == null) return;
      write(next.streamClass(), transport.encodeBody(List.of(next.bytes())));
    }
  }

  private void write(StreamClass streamClass, byte[] body) {
    wroteRecently = true;
    streams.write(streamClass, body);
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
    LOG.debug("event=gossip_stream_failed peer={} reason=\"{}\"", peer, cause.getMessage());
    close();
  }

  private void sendKeepAlive() {
    if (open && !closed && neighbourQueue != null && !wroteRecently) {
      write(StreamClass.MEMBERSHIP, FrameBody.KEEP_ALIVE);
    }
    wroteRecently = false;
  }

  // ---- receiving

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

  private void receive(NodeAddress from, byte[] body, int maxDecompressed, boolean reliable) {
    if (returnAddress == null) {
      returnAddress = from;
      if (peer == null) peer = new PeerAddress(from, "");
    }
    boolean isSame = returnAddress.equals(from);
    if (!isSame || !transport.onBody(this, from, body, maxDecompressed, reliable)) close();
    if (!isSame) transport.onDropped(DropReason.MALFORMED);
  }

  @Override
  public void onProtocolError(DropReason reason) {
    transport.onDropped(reason);
    close();
  }

  // ---- life cycle

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    QuicChannel mine = (QuicChannel) context.channel();
    channel = mine;
    mine.closeFuture().addListener(done -> onClosed());
    if (isOutbound) return;
    if (!transport.admit(this)) {
      close();
      return;
    }
    long timeout = QuicTransport.HANDSHAKE_TIMEOUT.toMillis();
    mine.eventLoop().schedule(this::closeUnlessOpen, timeout, TimeUnit.MILLISECONDS);
  }

  private void closeUnlessOpen() {
    if (!open) close();
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    if (closed) return;
    certificateNames =
        QuicTls.peerCertificate((QuicChannel) context.channel())
            .map(transport::certificateNames)
            .orElse(Set.of());
    if (peer != null && !verifyNodeId(peer)) return;
    open = true;
    transport.onOpened(this);
    while (!pendingDatagrams.isEmpty()) sendDatagram(pendingDatagrams.remove());
    streams.open((QuicChannel) context.channel());
    long interval = KEEP_ALIVE_INTERVAL.toMillis();
    var keepAlive =
        context
            .channel()
            .eventLoop()
            .scheduleAtFixedRate(this::sendKeepAlive, interval, interval, TimeUnit.MILLISECONDS);
    context.channel().closeFuture().addListener(done -> keepAlive.cancel(false));
    drainQueue();
    context.fireChannelActive();
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof QuicConnectionCloseEvent close && close.isTlsError()) {
      authenticationFailed = true;
      close(); // Netty would keep the connection and wait for late packets
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

  /** The connect, the handshake or the open connection failed. */
  void onFailure(Throwable cause) {
    LOG.debug("event=gossip_quic_failed peer={} reason=\"{}\"", peer, cause.getMessage());
    if (QuicTls.isHandshakeFailure(cause)) authenticationFailed = true;
    // a failed handshake is not closed here: the codec sends the reason to the other end first
    if (open) close();
    if (channel == null) onClosed();
  }

  /** Closes the connection and notifies the other end. */
  void close() {
    Channel mine = channel;
    if (mine != null) mine.close();
  }

  private void onClosed() {
    if (closed) return;
    closed = true;
    transport.onClosed(this, open);
    pendingDatagrams.clear();
    streams.clear();
    neighbourQueue = null;
  }
}
