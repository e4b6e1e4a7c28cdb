package org.quorumail;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * A server on loopback that sends each client the same octets, whatever it is asked, and ends. The
 * Jazzer targets whose input is what another host says share it.
 */
public final class ScriptedServer {
  private final ServerSocket socket;
  private volatile byte[] octets = {};

  private ScriptedServer(ServerSocket socket) {
    this.socket = socket;
  }

  /** Starts a server that runs as long as the process. */
  public static ScriptedServer start() throws IOException {
    ScriptedServer server =
        new ScriptedServer(new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1")));
    Thread.ofPlatform().daemon().name("scripted-server").start(server::serve);
    return server;
  }

  public InetSocketAddress address() {
    return (InetSocketAddress) socket.getLocalSocketAddress();
  }

  /** The octets that the next client gets. */
  public void sendNext(byte[] next) {
    octets = next;
  }

  private void serve() {
    while (true) {
      try (Socket client = socket.accept()) {
        OutputStream out = client.getOutputStream();
        out.write(octets);
        client.shutdownOutput();
        client.getInputStream().transferTo(OutputStream.nullOutputStream());
      } catch (IOException e) {
        if (socket.isClosed()) return; // else the session ended before it had read everything
      }
    }
  }
}
