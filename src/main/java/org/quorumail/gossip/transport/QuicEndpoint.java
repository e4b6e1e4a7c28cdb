package org.quorumail.gossip.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.handler.codec.quic.QuicChannel;
import io.netty.handler.codec.quic.QuicClientCodecBuilder;
import io.netty.handler.codec.quic.QuicCodecBuilder;
import io.netty.handler.codec.quic.QuicServerCodecBuilder;
import io.netty.handler.codec.quic.QuicStreamChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.plumtree.PlumtreeMeter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Two UDP sockets with QUIC on them, and the event loop of both. Outbound connections have a socket
 * of their own, because Netty's codec uses a socket for one role only.
 */
final class QuicEndpoint {
  private static final Logger LOG = LoggerFactory.getLogger(QuicEndpoint.class);

  private static final int STREAM_WINDOW = 1 << 20;
  private static final int CONNECTION_WINDOW = 4 << 20;
  private static final int DATAGRAMS_QUEUED = 256;

  private final MultiThreadIoEventLoopGroup group;
  private final Channel serverChannel;
  private final Channel clientChannel;

  private QuicEndpoint(
      MultiThreadIoEventLoopGroup group, Channel serverChannel, Channel clientChannel) {
    this.group = group;
    this.serverChannel = serverChannel;
    this.clientChannel = clientChannel;
  }

  /**
   * Binds both sockets; packets wait in them until {@link #start}.
   *
   * @param address where others connect to; port 0 for any free port
   * @throws IOException when the port is taken
   */
  static QuicEndpoint bind(InetSocketAddress address) throws IOException {
    MultiThreadIoEventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("gossip-quic", true), NioIoHandler.newFactory());
    try {
      Channel server = bind(group, address);
      Channel client = bind(group, new InetSocketAddress(address.getAddress(), 0));
      return new QuicEndpoint(group, server, client);
    } catch (IOException e) {
      group.shutdownGracefully(0, 500, TimeUnit.MILLISECONDS);
      throw e;
    }
  }

  private static Channel bind(MultiThreadIoEventLoopGroup group, InetSocketAddress address)
      throws IOException {
    boolean isIpv4 = address.getAddress() instanceof java.net.Inet4Address;
    SocketProtocolFamily family = isIpv4 ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
    Bootstrap bootstrap =
        new Bootstrap()
            .group(group)
            .channelFactory((ChannelFactory<Channel>) () -> new NioDatagramChannel(family))
            .option(ChannelOption.AUTO_READ, false)
            .option(ChannelOption.SO_RCVBUF, UdpSocket.SOCKET_BUFFER)
            .option(ChannelOption.SO_SNDBUF, UdpSocket.SOCKET_BUFFER)
            .handler(new ExceptionLogger());
    ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
    if (bound.isSuccess()) return bound.channel();
    Throwable cause = bound.cause();
    throw cause instanceof IOException e ? e : new IOException(String.valueOf(cause), cause);
  }

  /**
   * Starts to read both sockets.
   *
   * @param tls the contexts at the time of each handshake
   * @param inbound a new handler for each connection that another node opens
   * @param onDropped called for each packet that is not QUIC of a member
   */
  void start(
      Supplier<QuicTls> tls,
      Supplier<QuicConnection> inbound,
      PlumtreeMeter meter,
      Consumer<DropReason> onDropped) {
    read(serverChannel, new QuicPacketFilter(meter, onDropped), serverCodec(tls, inbound));
    read(clientChannel, new QuicPacketFilter(meter, onDropped), clientCodec(tls));
  }

  private static void read(Channel socket, QuicPacketFilter filter, ChannelHandler codec) {
    socket.pipeline().addFirst(filter, codec);
    socket.config().setAutoRead(true);
  }

  private static ChannelHandler serverCodec(
      Supplier<QuicTls> tls, Supplier<QuicConnection> inbound) {
    return withLimits(new QuicServerCodecBuilder())
        .sslEngineProvider(channel -> tls.get().server().newEngine(channel.alloc()))
        .tokenHandler(new RetryTokens(Clock.systemUTC()))
        .handler(
            new ChannelInitializer<QuicChannel>() {
              @Override
              protected void initChannel(QuicChannel channel) {
                channel.pipeline().addLast(inbound.get());
              }
            })
        .streamHandler(new InboundStreamInitializer())
        .build();
  }

  private static ChannelHandler clientCodec(Supplier<QuicTls> tls) {
    return withLimits(new QuicClientCodecBuilder())
        .sslEngineProvider(channel -> tls.get().client().newEngine(channel.alloc()))
        .build();
  }

  private static <B extends QuicCodecBuilder<B>> B withLimits(B codec) {
    return codec
        .maxIdleTimeout(QuicConnection.IDLE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .maxRecvUdpPayloadSize(UdpSocket.MAX_RECEIVED_BYTES)
        .maxSendUdpPayloadSize(QuicTransport.MAX_UDP_PAYLOAD)
        .initialMaxData(CONNECTION_WINDOW)
        .initialMaxStreamDataUnidirectional(STREAM_WINDOW)
        .initialMaxStreamsUnidirectional(StreamClass.values().length)
        .initialMaxStreamsBidirectional(0)
        .activeMigration(false)
        .datagram(DATAGRAMS_QUEUED, DATAGRAMS_QUEUED);
  }

  /** The last handler: without it, Netty would log each failure as a stack trace. */
  private static final class ExceptionLogger extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      LOG.debug("event=gossip_quic_failed reason=\"{}\"", cause.getMessage());
    }
  }

  /** Adds a reader to each stream that the other end opens. */
  @ChannelHandler.Sharable
  private static final class InboundStreamInitializer
      extends ChannelInitializer<QuicStreamChannel> {
    @Override
    protected void initChannel(QuicStreamChannel stream) {
      QuicConnection connection = stream.parent().pipeline().get(QuicConnection.class);
      stream.pipeline().addLast(new QuicStreamReader(connection));
    }
  }

  int port() {
    return ((InetSocketAddress) serverChannel.localAddress()).getPort();
  }

  EventLoop eventLoop() {
    return serverChannel.eventLoop();
  }

  /** Opens an outbound connection to this address. */
  void connect(QuicConnection connection, NodeAddress address, Duration timeout) {
    QuicChannel.newBootstrap(clientChannel)
        .handler(connection)
        .streamHandler(new InboundStreamInitializer())
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) timeout.toMillis())
        .remoteAddress(SocketAddresses.toSocketAddress(address))
        .connect()
        .addListener(
            (Future<QuicChannel> connected) -> {
              if (!connected.isSuccess()) connection.onFailure(connected.cause());
            });
  }

  /**
   * Closes both sockets.
   *
   * @param closeConnections run by the event loop before the sockets close
   */
  void close(Runnable closeConnections) {
    try {
      eventLoop().submit(closeConnections).await(1_000);
      serverChannel.close().await(1_000);
      clientChannel.close().await(1_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RejectedExecutionException e) {
      LOG.trace("event=gossip_closed");
    }
    group.shutdownGracefully(0, 500, TimeUnit.MILLISECONDS);
  }
}
