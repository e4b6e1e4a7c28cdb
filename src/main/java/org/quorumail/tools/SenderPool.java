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
 * A pool of senders that do not give up. Each message is tried on one node after another, with a
 * new token each time, until a node replies 250.
 */
final class SenderPool implements AutoCloseable {
  /** A node that replies later is replaced by another; above the promised 3 s. */
  private static final Duration READ_TIMEOUT = Duration.ofSeconds(8);

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);

  /** A node that has just failed is avoided for this time, while there are others. */
  private static final Duration AVOIDANCE_TIME = Duration.ofMillis(300);

  private static final Duration ATTEMPT_INTERVAL = Duration.ofMillis(20);
  private static final int MAX_ATTEMPTS = 99_999; // five digits of the token
  private static final String QUEUED_AS = "queued as ";

  private final List<InetSocketAddress> nodes;
  private final MessageHistory history;
  private final Workload workload;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicLongArray avoidedUntil;
  private final List<Thread> senders = new ArrayList<>();
  private final long begin = System.nanoTime();
  private volatile boolean stopped;

  SenderPool(List<InetSocketAddress> nodes, MessageHistory history, Workload workload) {
    this.nodes = nodes;
    this.history = history;
    this.workload = workload;
    this.avoidedUntil = new AtomicLongArray(nodes.size());
    for (int i = 0; i < nodes.size(); i++) avoidedUntil.set(i, begin);
  }

  void start() {
    for (int i = 0; i < workload.sessions(); i++)
      senders.add(Thread.ofVirtual().start(new Sender()));
  }

  /** Waits for the senders; true when every message has its 250. */
  boolean await(Duration timeout) throws InterruptedException {
    long end = System.nanoTime() + timeout.toNanos();
    for (Thread sender : senders) {
      long remaining = end - System.nanoTime();
      if (remaining <= 0 || !sender.join(Duration.ofNanos(remaining))) return false;
    }
    return history.acknowledged() >= workload.messages();
  }

  @Override
  public void close() {
    stopped = true;
    for (Thread sender : senders) sender.interrupt();
  }

  /** One sender with at most one connection to each node. */
  private final class Sender implements Runnable {
    private final NumberedMessage message =
        new NumberedMessage(workload.size(), workload.from(), workload.recipient());
    private final @Nullable SmtpSocket[] sockets = new SmtpSocket[nodes.size()];

    @Override
    public void run() {
      try {
        for (int n = next.getAndIncrement(); n < workload.messages(); n = next.getAndIncrement()) {
          awaitTurn(n);
          sendUntilAccepted(n);
        }
      } catch (InterruptedException e) {
        // the run ends
      } finally {
        for (int node = 0; node < sockets.length; node++) disconnect(node);
      }
    }

    private void awaitTurn(int number) throws InterruptedException {
      long wait = begin + workload.dueNanos(number) - System.nanoTime();
      if (wait > 0) Thread.sleep(Duration.ofNanos(wait));
    }

    /** Tries all nodes in turn, as a client with a list of hosts does, again and again. */
    private void sendUntilAccepted(int number) throws InterruptedException {
      int attempt = 1;
      for (int turn = number + 1; attempt <= MAX_ATTEMPTS && !stopped; turn++) {
        for (int node : order(turn)) {
          if (attempt > MAX_ATTEMPTS || stopped) return;
          if (attempt(number, attempt++, node)) return;
        }
        history.recordRefusal();
        Thread.sleep(ATTEMPT_INTERVAL);
      }
    }

    /** All nodes, beginning with the next in turn; those that have just failed come last. */
    private List<Integer> order(int turn) {
      long now = System.nanoTime();
      List<Integer> order = new ArrayList<>();
      List<Integer> avoided = new ArrayList<>();
      for (int i = 0; i < nodes.size(); i++) {
        int node = Math.floorMod(turn + i, nodes.size());
        (avoidedUntil.get(node) - now <= 0 ? order : avoided).add(node);
      }
      order.addAll(avoided);
      return order;
    }

    private boolean attempt(int number, int attempt, int node) {
      String token = NumberedMessage.token(number, attempt);
      try {
        SmtpSocket socket = socket(node);
        boolean dataAccepted =
            socket.request("MAIL FROM:<" + workload.from() + ">").startsWith("2")
                && socket.request("RCPT TO:<" + workload.recipient() + ">").startsWith("2")
                && socket.request("DATA").startsWith("3");
        if (dataAccepted) {
          byte[] bytes = message.stamp(number, attempt);
          history.recordAttempt(token, node);
          socket.write(bytes);
          String reply = socket.readReply();
          if (reply.startsWith("2")) {
            history.recordAcknowledgement(token, queueId(reply));
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
      SmtpSocket socket = SmtpSocket.connect(nodes.get(node), CONNECT_TIMEOUT, READ_TIMEOUT);
      sockets[node] = socket;
      String greeting = socket.readReply();
      if (!greeting.startsWith("2")) throw new IOException(greeting);
      socket.request("EHLO chaos.test");
      return socket;
    }

    private void disconnect(int node) {
      SmtpSocket socket = sockets[node];
      sockets[node] = null;
      if (socket == null) return;
      try {
        socket.close();
      } catch (IOException e) {
        // the connection was broken before
      }
    }
  }

  private static String queueId(String reply) {
    int at = reply.indexOf(QUEUED_AS);
    return at < 0 ? "" : reply.substring(at + QUEUED_AS.length()).strip();
  }
}
