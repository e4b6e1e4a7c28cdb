package org.quorumail.harness;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * Senders that do not give up: each message is tried on one node after another, under a new token
 * each time, until somebody says 250.
 */
final class Traffic implements AutoCloseable {
  /** What a node may take for its answer before another is tried; above the promised 3 s. */
  private static final Duration READ = Duration.ofSeconds(8);

  private static final Duration CONNECT = Duration.ofSeconds(1);

  /** A node that has just failed is left alone so long, while others are there. */
  private static final Duration SHUNNED = Duration.ofMillis(300);

  private static final Duration BETWEEN_ATTEMPTS = Duration.ofMillis(20);
  private static final int MAX_ATTEMPTS = 99_999; // five digits of the token
  private static final String FROM = "sender@chaos.test";
  private static final String TO = "recipient@sink.test";
  private static final String QUEUED_AS = "queued as ";

  private final List<InetSocketAddress> nodes;
  private final Ledger ledger;
  private final ChaosOptions.Load load;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicLongArray shunnedUntil;
  private final List<Thread> senders = new ArrayList<>();
  private final long begin = System.nanoTime();
  private volatile boolean stopped;

  Traffic(List<InetSocketAddress> nodes, Ledger ledger, ChaosOptions.Load load) {
    this.nodes = nodes;
    this.ledger = ledger;
    this.load = load;
    this.shunnedUntil = new AtomicLongArray(nodes.size());
    for (int i = 0; i < nodes.size(); i++) shunnedUntil.set(i, begin);
  }

  void start() {
    for (int i = 0; i < load.senders(); i++) senders.add(Thread.ofVirtual().start(new Sender()));
  }

  /** True when every message has its 250. */
  boolean await(Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    for (Thread sender : senders) {
      long left = end - System.nanoTime();
      if (left <= 0 || !sender.join(Duration.ofNanos(left))) return false;
    }
    return ledger.acknowledged() >= load.messages();
  }

  @Override
  public void close() {
    stopped = true;
    for (Thread sender : senders) sender.interrupt();
  }

  /** One sender with at most one connection to each node. */
  private final class Sender implements Runnable {
    private final NumberedMessage message = new NumberedMessage(load.size(), FROM, TO);
    private final @Nullable Wire[] wires = new Wire[nodes.size()];

    @Override
    public void run() {
      try {
        for (int n = next.getAndIncrement(); n < load.messages(); n = next.getAndIncrement()) {
          awaitTurn(n);
          sendUntilAccepted(n);
        }
      } catch (InterruptedException e) {
        // stopped from outside
      } finally {
        for (int node = 0; node < wires.length; node++) drop(node);
      }
    }

    private void awaitTurn(int number) throws InterruptedException {
      if (load.rate().isEmpty()) return;
      long due = begin + (long) (number / load.rate().getAsDouble() * 1e9);
      long wait = due - System.nanoTime();
      if (wait > 0) Thread.sleep(Duration.ofNanos(wait));
    }

    private void sendUntilAccepted(int number) throws InterruptedException {
      for (int attempt = 1; attempt <= MAX_ATTEMPTS && !stopped; attempt++) {
        if (isAccepted(number, attempt, choose(number + attempt))) return;
        Thread.sleep(BETWEEN_ATTEMPTS);
      }
    }

    /** The next node in turn that has not just failed; if all have, simply the next. */
    private int choose(int turn) {
      long now = System.nanoTime();
      for (int i = 0; i < nodes.size(); i++) {
        int node = Math.floorMod(turn + i, nodes.size());
        if (shunnedUntil.get(node) - now <= 0) return node;
      }
      return Math.floorMod(turn, nodes.size());
    }

    private boolean isAccepted(int number, int attempt, int node) {
      String token = NumberedMessage.token(number, attempt);
      try {
        Wire wire = wire(node);
        boolean open =
            wire.ask("MAIL FROM:<" + FROM + ">").startsWith("2")
                && wire.ask("RCPT TO:<" + TO + ">").startsWith("2")
                && wire.ask("DATA").startsWith("3");
        if (open) {
          byte[] bytes = message.stamp(number, attempt);
          ledger.attempt(token, node);
          wire.write(bytes);
          String reply = wire.reply();
          if (reply.startsWith("2")) {
            ledger.acknowledge(token, queueId(reply));
            return true;
          }
        }
      } catch (IOException e) {
        // the node is down or hangs: the next attempt goes elsewhere
      }
      drop(node);
      shunnedUntil.set(node, System.nanoTime() + SHUNNED.toNanos());
      return false;
    }

    private Wire wire(int node) throws IOException {
      Wire open = wires[node];
      if (open != null) return open;
      Wire wire = Wire.connect(nodes.get(node), CONNECT, READ);
      wires[node] = wire;
      String greeting = wire.reply();
      if (!greeting.startsWith("2")) throw new IOException(greeting);
      wire.ask("EHLO chaos.test");
      return wire;
    }

    private void drop(int node) {
      Wire wire = wires[node];
      wires[node] = null;
      if (wire == null) return;
      try {
        wire.close();
      } catch (IOException e) {
        // it was broken before
      }
    }
  }

  private static String queueId(String reply) {
    int at = reply.indexOf(QUEUED_AS);
    return at < 0 ? "" : reply.substring(at + QUEUED_AS.length()).strip();
  }
}
