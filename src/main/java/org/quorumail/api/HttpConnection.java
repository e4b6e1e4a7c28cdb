package org.quorumail.api;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.quorumail.config.Network;

/**
 * One connection of the HTTP server, as its deadlines and limits see it. The connection's own
 * thread moves it from phase to phase; any thread may close it where {@link Phase#canClose} allows
 * that.
 */
final class HttpConnection {
  /** The phases of a connection. */
  enum Phase {
    /** Between two requests. */
    IDLE,
    /** The client is sending a request. */
    RECEIVING,
    /** The client is sending the body of a request whose beginning the node works on already. */
    UPLOADING,
    /** The request waits until fewer others run. */
    WAITING,
    /** The node works on the answer. */
    WORKING,
    /** The client is taking the answer. */
    ANSWERING,
    /** The client waits for events. */
    EVENTS,
    CLOSED;

    /** Work of the node is never interrupted: it may be a change of the queue. */
    boolean canClose() {
      return this != WORKING && this != CLOSED;
    }
  }

  /**
   * A phase and its start.
   *
   * @param sinceNanos {@link System#nanoTime}
   */
  private record State(Phase phase, long sinceNanos) {}

  /** The connection that the current thread serves. */
  static final ScopedValue<HttpConnection> CURRENT = ScopedValue.newInstance();

  private final Network client;
  private final Thread thread = Thread.currentThread();
  private final AtomicBoolean reported = new AtomicBoolean();
  private final AtomicReference<State> state =
      new AtomicReference<>(new State(Phase.RECEIVING, System.nanoTime()));

  HttpConnection(Network client) {
    this.client = client;
  }

  Network client() {
    return client;
  }

  Phase phase() {
    return current().phase;
  }

  /** The start of the phase, by {@link System#nanoTime}. */
  long sinceNanos() {
    return current().sinceNanos;
  }

  /** Returns true once: a connection has one line in the log. */
  boolean takeReport() {
    return reported.compareAndSet(false, true);
  }

  /** Starts a phase; false when the connection has been closed meanwhile. */
  boolean enter(Phase next) {
    State before = current();
    return before.phase != Phase.CLOSED
        && state.compareAndSet(before, new State(next, System.nanoTime()));
  }

  /** The first octets of a request start its deadline; later ones do not extend it. */
  void received() {
    if (phase() == Phase.IDLE) enter(Phase.RECEIVING);
  }

  /**
   * Closes the connection: its thread is blocked on the socket, and an interrupt closes that.
   *
   * @return false when the connection has moved on to a phase that must not be interrupted
   */
  boolean close() {
    State before = current();
    if (!before.phase.canClose()) return false;
    if (!state.compareAndSet(before, new State(Phase.CLOSED, before.sinceNanos))) return false;
    thread.interrupt();
    return true;
  }

  private State current() {
    return Objects.requireNonNull(state.get());
  }
}
