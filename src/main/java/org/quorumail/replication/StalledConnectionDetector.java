package org.quorumail.replication;

import java.time.Duration;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * Finds nodes whose connections must be renewed, by the last contact with each. When packets are
 * lost for a while, TCP sends again after a pause that grows with the loss, up to two minutes; a
 * new connection needs no such pause. Two signs count: a follower does not answer its leader, and a
 * request of a node arrives after a silence, to which the way back may be stalled. Thread-safe.
 */
final class StalledConnectionDetector {
  /** Several election timeouts: a node that is merely slow keeps its connections. */
  static final Duration SILENCE_MAX = Duration.ofSeconds(4);

  private final LongSupplier nanoTime;
  private final Map<String, Contact> contacts = new ConcurrentHashMap<>();

  StalledConnectionDetector(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
  }

  /** The last request of one node, and when the connections to it were renewed. */
  final class Contact {
    private volatile long receivedAtNanos = nanoTime.getAsLong();
    private volatile boolean returned;
    private volatile long renewedAtNanos = receivedAtNanos - SILENCE_MAX.toNanos();

    /** Notes a request of the node. */
    void received() {
      long now = nanoTime.getAsLong();
      if (now - receivedAtNanos >= SILENCE_MAX.toNanos()) returned = true;
      receivedAtNanos = now;
    }
  }

  Contact of(String peer) {
    return contacts.computeIfAbsent(peer, p -> new Contact());
  }

  /**
   * Returns the nodes to which connections must be renewed, each at most once in {@link
   * #SILENCE_MAX}; called by one thread.
   *
   * @param answeredAgo by peer, the nanoseconds since it has answered this node as a leader
   */
  Set<String> stalled(Map<String, Long> answeredAgo) {
    answeredAgo.keySet().forEach(this::of);
    long now = nanoTime.getAsLong();
    Set<String> stalled = new TreeSet<>();
    contacts.forEach(
        (peer, contact) -> {
          Long age = answeredAgo.get(peer);
          if (isStalled(contact, age == null ? OptionalLong.empty() : OptionalLong.of(age), now)) {
            contact.renewedAtNanos = now;
            stalled.add(peer);
          }
        });
    return stalled;
  }

  private static boolean isStalled(Contact contact, OptionalLong answeredAgo, long now) {
    boolean returned = contact.returned;
    contact.returned = false;
    if (now - contact.renewedAtNanos < SILENCE_MAX.toNanos()) return false;
    return answeredAgo.isPresent() ? answeredAgo.getAsLong() >= SILENCE_MAX.toNanos() : returned;
  }
}
