package org.quorumail.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * An SMTP next hop that accepts all mail and stores nothing: each message goes to a consumer. It
 * can be slow, reject messages, and close connections after the final dot. One virtual thread per
 * connection.
 */
public final class SmtpSink implements AutoCloseable {
  /** More than our load generator opens; further connections wait in the backlog. */
  private static final int MAX_CONNECTIONS = 20_000;

  private static final int BACKLOG = 4096;

  /**
   * The behaviour of the sink.
   *
   * @param delay time before the reply to the final dot
   * @param transientFailures share (0 to 1) of messages deferred with 451
   * @param permanentFailures share of messages rejected with 550
   * @param drops share of connections closed after the final dot without a reply
   */
  public record Options(
      int port,
      Duration delay,
      double transientFailures,
      double permanentFailures,
      double drops,
      long seed) {
    public static Options onPort(int port) {
      return new Options(port, Duration.ZERO, 0, 0, 0, 1);
    }

    public Options withDelay(Duration changed) {
      return new Options(port, changed, transientFailures, permanentFailures, drops, seed);
    }

    public Options withFailures(double transients, double permanents, double dropped) {
      return new Options(port, delay, transients, permanents, dropped, seed);
    }
  }

  /**
   * A message that the sink is about to accept with 250. The content array is the buffer of the
   * connection: consumers read it during the call and copy what they keep.
   */
  public record ReceivedMessage(
      String helo, String from, List<String> recipients, byte[] content, int length, long nanos) {
    public byte[] copy() {
      return Arrays.copyOf(content, length);
    }
  }

  private final Options options;
  private volatile SinkScript script;
  private final Consumer<ReceivedMessage> consumer;
  private final ServerSocket server;
  private final Set<Socket> connections = ConcurrentHashMap.newKeySet();
  private final Semaphore permits = new Semaphore(MAX_CONNECTIONS);
  private final LongAdder messages = new LongAdder();
  private final AtomicInteger openTransactions = new AtomicInteger();
  private final AtomicLong served = new AtomicLong();

  private SmtpSink(Options options, SinkScript script, Consumer<ReceivedMessage> consumer)
      throws IOException {
    this.options = options;
    this.script = script;
    this.consumer = consumer;
    this.server = new ServerSocket();
    InetAddress loopback = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    try {
      server.setReuseAddress(true);
      server.bind(new InetSocketAddress(loopback, options.port()), BACKLOG);
    } catch (IOException e) {
      server.close();
      throw new IOException("The sink cannot listen on port " + options.port() + ": " + e, e);
    }
  }

  /** Opens a sink on loopback; port 0 takes a free port. */
  public static SmtpSink start(Options options, Consumer<ReceivedMessage> consumer)
      throws IOException {
    return start(options, SinkScript.EMPTY, consumer);
  }

  /** Opens a sink on loopback that also follows a script. */
  public static SmtpSink start(
      Options options, SinkScript script, Consumer<ReceivedMessage> consumer) throws IOException {
    SmtpSink sink = new SmtpSink(options, script, consumer);
    Thread.ofVirtual().name("sink").start(sink::acceptConnections);
    return sink;
  }

  /** The script in force. */
  SinkScript script() {
    return script;
  }

  /** Puts another script in force, for the commands from now on. */
  void replaceScript(SinkScript other) {
    script = other;
  }

  public int port() {
    return server.getLocalPort();
  }

  /** The number of messages accepted with 250 so far. */
  public long messages() {
    return messages.sum();
  }

  /** The open transactions: the deliveries that a crash can put in doubt. */
  public int openTransactions() {
    return openTransactions.get();
  }

  private void acceptConnections() {
    while (!server.isClosed()) {
      try {
        permits.acquire();
        Socket socket = server.accept();
        connections.add(socket);
        Thread.ofVirtual().start(() -> serve(socket));
      } catch (IOException e) {
        permits.release(); // the sink is closed, or the client has left
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void serve(Socket socket) {
    try (SmtpSocket smtp = new SmtpSocket(socket)) {
      long seed = options.seed() + served.getAndIncrement();
      new SmtpSinkSession(smtp, options, this::script, seed, this::onReceived, openTransactions)
          .run();
    } catch (IOException e) {
      // the sender was killed: that is what this sink is for
    } finally {
      connections.remove(socket);
      permits.release();
    }
  }

  private void onReceived(ReceivedMessage delivery) {
    messages.increment();
    consumer.accept(delivery);
  }

  @Override
  public void close() {
    try {
      server.close();
      for (Socket socket : connections) socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException("the sink cannot be closed", e);
    }
  }
}
