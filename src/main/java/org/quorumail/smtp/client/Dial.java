package org.quorumail.smtp.client;

import java.io.IOException;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/**
 * The opening of a connection by one attempt, up to the first EHLO. Another thread may abort it, so
 * that hosts that do not answer make room for others. Thread-safe. Times are nanoTime.
 */
public final class Dial {
  private final List<Socket> sockets = new ArrayList<>();
  private long since = System.nanoTime();
  private boolean open;
  private boolean connected;
  private volatile boolean aborted;

  /** The stage of a dial. */
  public enum Stage {
    /** Nothing is being opened. */
    IDLE,
    /** No address has taken the connection yet. */
    CONNECTING,
    /** The host has taken the connection; its greeting is awaited. */
    GREETING
  }

  /** Notes a socket that is about to connect. */
  synchronized void opened(Socket socket) throws IOException {
    if (aborted) throw new IOException("too many hosts do not answer");
    if (!open) since = System.nanoTime();
    open = true;
    connected = false;
    sockets.add(socket);
  }

  /** Notes that one of the sockets is connected. */
  synchronized void connected(Socket socket) {
    sockets.clear();
    sockets.add(socket);
    since = System.nanoTime();
    connected = true;
  }

  /** Notes that nothing is being opened any more: a session runs, or the host has failed. */
  synchronized void ended() {
    sockets.clear();
    open = false;
    connected = false;
  }

  /** Ends what is being opened, and all that this attempt would open. */
  public synchronized void abort() {
    if (!open) return;
    aborted = true;
    for (Socket socket : sockets) {
      try {
        socket.close();
      } catch (IOException e) {
        // it is not used any more
      }
    }
    sockets.clear();
  }

  public boolean isAborted() {
    return aborted;
  }

  public synchronized Stage stage() {
    if (!open || aborted) return Stage.IDLE;
    return connected ? Stage.GREETING : Stage.CONNECTING;
  }

  /** The beginning of the stage. */
  public synchronized long sinceNanos() {
    return since;
  }
}
