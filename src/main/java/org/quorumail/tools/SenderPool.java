package org.quorumail.tools;

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
final class SenderPool implements AutoCloseable {
  /** What a node may take for its answer before another is tried; above the promised 3 s. */
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(8);

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);

  /** A node that has just failed is left alone so long, while others are there. */
  private static final Duration AVOIDANCE_TIME = Duration.ofMillis(300);

  private static final Duration ATTEMPT_INTERVAL = Duration.ofMillis(20);
  private static final int MAX_ATTEMPTS = 99_999; // five digits of the token
  private static final String FROM = "sender@chaos.test";
  private static final String TO = "recipient@sink.test";
  private static final String QUEUED_AS = "queued as ";

  private final List<InetSocketAddress> nodes;
  private final MessageHistory ledger;
  private final ChaosOptions.Load load;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicLongArray avoidedUntil;
  private final List<Thread> senders = new ArrayList<>();
  private final long begin = System.nanoTime();
  private volatile boolean stopped;

  SenderPool(List<InetSocketAddress> nodes, MessageHistory ledger, ChaosOptions.Load load) {
    this.nodes = nodes;
    this.ledger = ledger;
    this.load = load;
    this.avoidedUntil = new AtomicLongArray(nodes.size());
    for (int i = 0; i < nodes.size(); i++) avoidedUntil.set(i, begin);
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
    private final @Nullable SmtpSocket[] sockets = new SmtpSocket[nodes.size()];

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
        for (int node = 0; node < sockets.length; node++) disconnect(node);
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
        if (attempt(number, attempt, chooseNode(number + attempt))) return;
        Thread.sleep(ATTEMPT_INTERVAL);
      }
    }

    /** The next node in turn that has not just failed; if all have, simply the next. */
    private int chooseNode(int turn) {
      long now = System.nanoTime();
      for (int i = 0; i < nodes.size(); i++) {
        int node = Math.floorMod(turn + i, nodes.size());
        if (avoidedUntil.get(node) - now <= 0) return node;
      }
      return Math.floorMod(turn, nodes.size());
    }

    private boolean attempt(int number, int attempt, int node) {
      String token = NumberedMessage.token(number, attempt);
      try {
        SmtpSocket wire = socket(node);
        boolean open =
            wire.request("MAIL FROM:<" + FROM + ">").startsWith("2")
                && wire.request("RCPT TO:<" + TO + ">").startsWith("2")
                && wire.request("DATA").startsWith("3");
        if (open) {
          byte[] bytes = message.stamp(number, attempt);
          ledger.recordAttempt(token, node);
          wire.write(bytes);
          String reply = wire.readReply();
          if (reply.startsWith("2")) {
            ledger.recordAcknowledgement(token, queueId(reply));
            return true;
          }
        }
      } catch (IOException e) {
        // the node is down or hangs: the next attempt goes elsewhere
      }
      disconnect(node);
      avoidedUntil.set(node, System.nanoTime() + AVOIDANCE_TIME.toNanos());
      return false;
    }

    private SmtpSocket socket(int node) throws IOException {
      SmtpSocket open = sockets[node];
      if (open != null) return open;
      SmtpSocket wire = SmtpSocket.connect(nodes.get(node), CONNECT_TIMEOUT, READ_TIMEOUT);
      sockets[node] = wire;
      String greeting = wire.readReply();
      if (!greeting.startsWith("2")) throw new IOException(greeting);
      wire.request("EHLO chaos.test");
      return wire;
    }

    private void disconnect(int node) {
      SmtpSocket wire = sockets[node];
      sockets[node] = null;
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
