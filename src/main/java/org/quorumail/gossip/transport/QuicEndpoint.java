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
 * Two UDP sockets with QUIC on them, and the event loop of both. Who calls does so from a port of
 * its own, because Netty's codec takes all packets of a socket for its one role.
 */
final class QuicEndpoint {
  private static final Logger log = LoggerFactory.getLogger(QuicEndpoint.class);

  private static final int STREAM_WINDOW = 1 << 20;
  private static final int CONNECTION_WINDOW = 4 << 20;
  private static final int DATAGRAMS_QUEUED = 256;

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("gossip-quic", true), NioIoHandler.newFactory());
  private final Channel serverChannel;
  private final Channel clientChannel;

  private QuicEndpoint(
      InetSocketAddress address,
      Supplier<QuicTls> tls,
      Supplier<QuicConnection> answers,
      PlumtreeMeter meter,
      Consumer<DropReason> drops)
      throws IOException {
    try {
      this.serverChannel = bind(address, serverCodec(tls, answers), meter, drops);
      InetSocketAddress any = new InetSocketAddress(address.getAddress(), 0);
      this.clientChannel = bind(any, clientCodec(tls), meter, drops);
    } catch (IOException e) {
      group.shutdownGracefully(0, 500, TimeUnit.MILLISECONDS);
      throw e;
    }
  }

  /**
   * @param address where others call; port 0: any that is free
   * @param tls as it is at each handshake
   * @param answers what takes a connection of somebody who has called
   * @param drops told of packets that nobody has sent who speaks QUIC
   * @throws IOException when the port is taken
   */
  static QuicEndpoint bind(
      InetSocketAddress address,
      Supplier<QuicTls> tls,
      Supplier<QuicConnection> answers,
      PlumtreeMeter meter,
      Consumer<DropReason> drops)
      throws IOException {
    return new QuicEndpoint(address, tls, answers, meter, drops);
  }

  private Channel bind(
      InetSocketAddress address,
      ChannelHandler codec,
      PlumtreeMeter meter,
      Consumer<DropReason> drops)
      throws IOException {
    boolean v4 = address.getAddress() instanceof java.net.Inet4Address;
    SocketProtocolFamily family = v4 ? SocketProtocolFamily.INET : SocketProtocolFamily.INET6;
    Bootstrap bootstrap =
        new Bootstrap()
            .group(group)
            .channelFactory((ChannelFactory<Channel>) () -> new NioDatagramChannel(family))
            .option(ChannelOption.SO_RCVBUF, UdpSocket.SOCKET_BUFFER)
            .option(ChannelOption.SO_SNDBUF, UdpSocket.SOCKET_BUFFER)
            .handler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel
                        .pipeline()
                        .addLast(new QuicPacketFilter(meter, drops), codec, new ExceptionLogger());
                  }
                });
    ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
    if (bound.isSuccess()) return bound.channel();
    Throwable cause = bound.cause();
    throw cause instanceof IOException e ? e : new IOException(String.valueOf(cause), cause);
  }

  private static ChannelHandler serverCodec(
      Supplier<QuicTls> tls, Supplier<QuicConnection> answers) {
    return withLimits(new QuicServerCodecBuilder())
        .sslEngineProvider(channel -> tls.get().server().newEngine(channel.alloc()))
        .tokenHandler(new RetryTokens(Clock.systemUTC()))
        .handler(
            new ChannelInitializer<QuicChannel>() {
              @Override
              protected void initChannel(QuicChannel channel) {
                channel.pipeline().addLast(answers.get());
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

  /** Behind everything; else Netty would write what fails here to the log as a stack trace. */
  private static final class ExceptionLogger extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      log.debug("gossip_quic_failed reason=\"{}\"", cause.getMessage());
    }
  }

  /** A reader for each stream that the other end opens. */
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

  /** Has the connection call this address. */
  void connect(QuicConnection connection, NodeAddress address, Duration patience) {
    QuicChannel.newBootstrap(clientChannel)
        .handler(connection)
        .streamHandler(new InboundStreamInitializer())
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) patience.toMillis())
        .remoteAddress(UdpSocket.socketAddress(address))
        .connect()
        .addListener(
            (Future<QuicChannel> called) -> {
              if (!called.isSuccess()) connection.onFailure(called.cause());
            });
  }

  /**
   * @param farewell run by the event loop before the sockets close
   */
  void close(Runnable farewell) {
    try {
      eventLoop().submit(farewell).await(1_000);
      serverChannel.close().await(1_000);
      clientChannel.close().await(1_000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RejectedExecutionException e) {
      log.trace("gossip_closed");
    }
    group.shutdownGracefully(0, 500, TimeUnit.MILLISECONDS);
  }
}
