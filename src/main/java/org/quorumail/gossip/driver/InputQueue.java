package org.quorumail.gossip.driver;

import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.transport.DropReason;
import org.quorumail.gossip.transport.PeerAddress;
import org.quorumail.gossip.transport.Transport;

/**
 * The input queue of the gossip thread: received messages, unreachable peers, and tasks of other
 * threads. Bounded by count and by bytes; any thread adds, the gossip thread polls. No add waits.
 */
final class InputQueue implements Transport.Receiver {
  /** One second's worth at a node with many peers; beyond that a datagram is better dropped. */
  private static final int MAX_INPUTS = 8_192;

  /**
   * The bytes of all queued messages, unless it is one: some pages of a view of 10,000 members. A
   * compromised member can send messages that decompress to thousands of times their length.
   */
  private static final int MAX_INPUT_BYTES = 32 << 20;

  private final MemberDirectory members;
  private final GossipMetrics metrics;
  private final DropWarnings dropWarnings = new DropWarnings();
  private final ArrayBlockingQueue<Input> inputs = new ArrayBlockingQueue<>(MAX_INPUTS);
  private final AtomicLong inputBytes = new AtomicLong();
  private volatile boolean closed;

  /** One input of the gossip thread. */
  sealed interface Input {
    record ReceivedMessage(NodeAddress from, byte[] message, boolean reliable) implements Input {}

    record UnreachablePeer(PeerAddress peer) implements Input {}

    /** A task that another thread has submitted. */
    record Task(Runnable action) implements Input {}
  }

  InputQueue(MemberDirectory members, GossipMetrics metrics) {
    this.members = members;
    this.metrics = metrics;
  }

  /** Adds a task; false when the queue is full or closed. */
  boolean submit(Runnable action) {
    return !closed && inputs.offer(new Input.Task(action));
  }

  /** Takes no more tasks. */
  void close() {
    closed = true;
  }

  /** Waits for the next input; null when the time is over. */
  @Nullable Input poll(long millis) throws InterruptedException {
    return taken(inputs.poll(millis, TimeUnit.MILLISECONDS));
  }

  /** The next input, or null. */
  @Nullable Input poll() {
    return taken(inputs.poll());
  }

  private @Nullable Input taken(@Nullable Input input) {
    if (input instanceof Input.ReceivedMessage received) release(received.message().length);
    return input;
  }

  private void release(int bytes) {
    long left = inputBytes.addAndGet(-bytes);
    if (left < 0) throw new IllegalStateException("the queued bytes are negative: " + left);
  }

  // ---- the transport's calls

  @Override
  public boolean onMessage(NodeAddress from, byte[] message, boolean reliable) {
    long before = inputBytes.getAndAdd(message.length);
    boolean fits = before == 0 || before + message.length <= MAX_INPUT_BYTES;
    boolean isAdded = fits && inputs.offer(new Input.ReceivedMessage(from, message, reliable));
    if (!isAdded) release(message.length);
    return isAdded;
  }

  @Override
  public Set<String> claimedSenders(byte[] message) {
    return ClaimedSender.of(message);
  }

  @Override
  public void onUnreachable(PeerAddress to) {
    if (!to.nodeId().isEmpty() && !inputs.offer(new Input.UnreachablePeer(to))) {
      metrics.countDropped(DropReason.QUEUE_FULL);
    }
  }

  @Override
  public void onAuthenticationFailed(PeerAddress by) {
    members.recordUnauthenticated(by.address());
  }

  @Override
  public void onDropped(DropReason reason) {
    metrics.countDropped(reason);
    dropWarnings.logIfDue(reason);
  }
}
