package org.quorumail.smtp.client;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

/** An address that does not answer: a listener whose queue of connections is full. */
public final class BlackHole implements AutoCloseable {
  private final ServerSocket listener;
  private final List<SocketChannel> waiting = new ArrayList<>();

  public BlackHole(String address) throws IOException {
    listener = new ServerSocket(0, 1, InetAddress.ofLiteral(address));
    for (int i = 0; i < 8; i++) {
      SocketChannel channel = SocketChannel.open();
      waiting.add(channel);
      channel.configureBlocking(false);
      channel.connect(listener.getLocalSocketAddress());
    }
  }

  public int port() {
    return listener.getLocalPort();
  }

  public InetSocketAddress address() {
    return (InetSocketAddress) listener.getLocalSocketAddress();
  }

  @Override
  public void close() throws IOException {
    for (SocketChannel channel : waiting) channel.close();
    listener.close();
  }
}
