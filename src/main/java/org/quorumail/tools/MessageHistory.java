package org.quorumail.tools;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * The history of one run: every attempt to send, every 250, every delivery. An attempt without a
 * 250 may be delivered nevertheless, when the 250 was lost on its way (RFC 1047). That is no fault,
 * and no duplicate of the next attempt, because each attempt has its own token.
 */
final class MessageHistory {
  private final Map<String, SendAttempt> entries = new ConcurrentHashMap<>();
  private final AtomicInteger acknowledged = new AtomicInteger();
  private final AtomicInteger attempts = new AtomicInteger();
  private final AtomicInteger delivered = new AtomicInteger();
  private final AtomicInteger strangers = new AtomicInteger();
  private final AtomicInteger refusals = new AtomicInteger();
  private final AtomicLong lastDelivery = new AtomicLong(System.nanoTime());

  /** One attempt to send a message, and its deliveries. */
  private static final class SendAttempt {
    private final int node;
    private final long startedAt = System.nanoTime();
    private long acknowledgedAt;
    private String queueId = "";
    private int deliveries;
    private long firstDeliveredAt;
    private String firstDeliveredBy = "";
    private boolean bounced;
    private boolean corrupt;

    SendAttempt(int node) {
      this.node = node;
    }

    private synchronized void acknowledge(String id) {
      acknowledgedAt = System.nanoTime();
      queueId = id;
    }

    private synchronized boolean deliver(SmtpSink.ReceivedMessage delivery, boolean intact) {
      if (!intact) corrupt = true;
      if (deliveries++ > 0) return false;
      firstDeliveredAt = delivery.nanos();
      firstDeliveredBy = delivery.helo();
      return true;
    }

    private synchronized void bounce() {
      bounced = true;
    }
  }

  void recordAttempt(String token, int node) {
    entries.put(token, new SendAttempt(node));
    attempts.incrementAndGet();
  }

  /** Records that a message was not accepted by any of the nodes, tried one after the other. */
  void recordRefusal() {
    refusals.incrementAndGet();
  }

  /** The number of times that a message was accepted by none of the nodes. */
  int refusals() {
    return refusals.get();
  }

  void recordAcknowledgement(String token, String queueId) {
    SendAttempt entry = entries.get(token);
    if (entry == null) throw new IllegalArgumentException("no attempt has the token " + token);
    entry.acknowledge(queueId);
    acknowledged.incrementAndGet();
  }

  /** Records a message at the sink; one with a null reverse-path is a DSN of a node. */
  void recordDelivery(SmtpSink.ReceivedMessage delivery) {
    lastDelivery.set(delivery.nanos());
    if (delivery.from().isEmpty()) {
      NumberedMessage.quotedToken(delivery.content(), delivery.length())
          .map(entries::get)
          .ifPresentOrElse(SendAttempt::bounce, strangers::incrementAndGet);
      return;
    }
    var found = NumberedMessage.inspect(delivery.content(), delivery.length());
    SendAttempt entry = found.map(inspection -> entries.get(inspection.token())).orElse(null);
    if (entry == null) {
      strangers.incrementAndGet();
      return;
    }
    if (entry.deliver(delivery, found.get().intact())) delivered.incrementAndGet();
  }

  int acknowledged() {
    return acknowledged.get();
  }

  int attempts() {
    return attempts.get();
  }

  /** The number of different attempts delivered so far. */
  int delivered() {
    return delivered.get();
  }

  long lastDelivery() {
    return lastDelivery.get();
  }

  /** Nanoseconds from a failure to the first 250 of a later transaction on another node. */
  OptionalLong firstAcknowledgement(int deadNode, long failure) {
    return entries.values().stream()
        .filter(e -> e.node != deadNode && e.startedAt > failure && e.acknowledgedAt != 0)
        .mapToLong(e -> e.acknowledgedAt - failure)
        .min();
  }

  /**
   * Nanoseconds from a failure to the first delivery, by another node, of a message that was queued
   * on the dead one. Empty when nothing was queued there, or the node came back before.
   */
  OptionalLong firstTakenOver(int deadNode, String deadName, long failure) {
    return entries.values().stream()
        .filter(e -> e.node == deadNode && e.acknowledgedAt != 0 && e.acknowledgedAt < failure)
        .filter(e -> e.firstDeliveredAt > failure && !e.firstDeliveredBy.equalsIgnoreCase(deadName))
        .mapToLong(e -> e.firstDeliveredAt - failure)
        .min();
  }

  /** The final tally; asks the queue only for acknowledged messages that were not delivered. */
  MessageTally tally(Predicate<String> isQueued) {
    List<String> lost = new ArrayList<>();
    Set<String> queueIds = new HashSet<>();
    int once = 0;
    int more = 0;
    int bounced = 0;
    int queued = 0;
    int corrupt = 0;
    int extra = 0;
    int unacknowledged = 0;
    int repeatedIds = 0;
    for (Map.Entry<String, SendAttempt> e : entries.entrySet()) {
      SendAttempt entry = e.getValue();
      synchronized (entry) {
        if (entry.corrupt) corrupt++;
        extra += Math.max(0, entry.deliveries - 1);
        if (entry.acknowledgedAt == 0) {
          if (entry.deliveries > 0) unacknowledged++;
          continue;
        }
        if (!entry.queueId.isEmpty() && !queueIds.add(entry.queueId)) repeatedIds++;
        if (entry.deliveries == 1) once++;
        else if (entry.deliveries > 1) more++;
        else if (entry.bounced) bounced++;
        else if (isQueued.test(entry.queueId)) queued++;
        else lost.add(e.getKey() + " (queue id " + entry.queueId + ")");
      }
    }
    lost.sort(null);
    return new MessageTally(
        attempts.get(),
        acknowledged.get(),
        once,
        more,
        bounced,
        queued,
        List.copyOf(lost),
        extra,
        corrupt,
        unacknowledged,
        repeatedIds,
        strangers.get());
  }
}
