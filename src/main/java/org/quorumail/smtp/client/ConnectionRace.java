package org.quorumail.smtp.client;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The connection to the first of several addresses that answers (RFC 8305 §5): an attempt begins
 * when the one before has failed, or 250 ms after it. Used once, by one thread.
 */
final class ConnectionRace {
  /** RFC 8305 §5: the recommended Connection Attempt Delay. */
  static final Duration DELAY = Duration.ofMillis(250);

  private final Duration timeout;
  private final Dial dial;
  private final LinkedBlockingQueue<Runner> finished = new LinkedBlockingQueue<>();
  private final List<Runner> runners = new ArrayList<>();
  private final Map<ServerEndpoint, IOException> failures = new LinkedHashMap<>();

  ConnectionRace(Duration timeout, Dial dial) {
    this.timeout = timeout;
    this.dial = dial;
  }

  /** A connected socket and its address. */
  record Winner(ServerEndpoint peer, Socket socket) {}

  /** Runs the race; null when all addresses have failed, or the dial was aborted. */
  @Nullable Winner run(List<ServerEndpoint> peers) throws InterruptedException {
    Runner winner = null;
    try {
      winner = firstToConnect(peers);
      return winner == null ? null : new Winner(winner.peer, winner.socket);
    } finally {
      for (Runner runner : runners) if (runner != winner) runner.cancel();
    }
  }

  private @Nullable Runner firstToConnect(List<ServerEndpoint> peers) throws InterruptedException {
    long nextNanos = System.nanoTime();
    while (failures.size() < peers.size()) {
      boolean mayBegin = runners.size() < peers.size() && !dial.isAborted();
      boolean noneRuns = failures.size() == runners.size();
      if (noneRuns && !mayBegin) return null;
      if (mayBegin && (noneRuns || System.nanoTime() - nextNanos >= 0)) {
        begin(peers.get(runners.size()), peers.size() == 1);
        nextNanos = System.nanoTime() + DELAY.toNanos();
        continue;
      }
      Runner runner =
          mayBegin
              ? finished.poll(nextNanos - System.nanoTime(), TimeUnit.NANOSECONDS)
              : finished.take(); // each has a timeout
      if (runner == null) continue;
      IOException failure = runner.failure;
      if (failure == null) return runner;
      failures.put(runner.peer, failure);
    }
    return null;
  }

  /** The addresses that did not answer, with the reasons, in the order of the failures. */
  Map<ServerEndpoint, IOException> failures() {
    return failures;
  }

  private void begin(ServerEndpoint peer, boolean onThisThread) {
    Runner runner = new Runner(peer);
    runners.add(runner);
    if (onThisThread) runner.run();
    else Thread.ofVirtual().name("connect").start(runner);
  }

  /** One attempt. */
  private final class Runner implements Runnable {
    private final ServerEndpoint peer;
    private final Socket socket = new Socket();
    private volatile @Nullable IOException failure;
    private boolean cancelled;

    Runner(ServerEndpoint peer) {
      this.peer = peer;
    }

    @Override
    public void run() {
      try {
        dial.opened(socket);
        socket.connect(peer.address(), (int) timeout.toMillis());
      } catch (IOException e) {
        failure = e;
        closeQuietly(socket);
      } catch (RuntimeException | Error e) { // the race waits for each runner
        failure = new IOException(e);
        closeQuietly(socket);
      }
      synchronized (this) {
        if (cancelled) closeQuietly(socket);
        else finished.add(this);
      }
    }

    /** Closes the socket, whether it is connected or not yet. */
    synchronized void cancel() {
      cancelled = true;
      closeQuietly(socket);
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // it is not used any more
    }
  }
}
