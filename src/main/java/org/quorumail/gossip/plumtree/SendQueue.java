package org.quorumail.gossip.plumtree;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Announcement;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHave;
import org.quorumail.gossip.plumtree.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;

/**
 * The queue of a link that is slower than its traffic. Its four classes have a depth each and are
 * served by weight, so a graft never waits behind payload and no class starves. A full class drops
 * its oldest message. That loses nothing: prunes only save bytes, announcements are merged before
 * any is dropped, and a dropped payload is unacknowledged, so it will be announced.
 *
 * <p>It serves one link and is used by the link's owner only.
 */
public final class SendQueue {
  private static final PlumtreeMetric ENQUEUED = PlumtreeMetric.PRIORITY_ENQUEUED;

  private final PriorityConfig config;
  private final PlumtreeMeter meter;
  private final Map<SendPriority, ArrayDeque<PlumtreeMessage>> classes =
      new EnumMap<>(SendPriority.class);
  private final Map<SendPriority, Integer> credit = new EnumMap<>(SendPriority.class);
  private long bytes;
  private final long maxBytes;

  /**
   * @param maxBytes the bound of waiting payloads; above it the least urgent ones are dropped first
   */
  public SendQueue(PriorityConfig config, long maxBytes, PlumtreeMeter meter) {
    this.config = config;
    this.maxBytes = maxBytes;
    this.meter = meter;
    for (SendPriority priority : SendPriority.values()) {
      classes.put(priority, new ArrayDeque<>());
      credit.put(priority, config.weight(priority));
    }
  }

  /** The class in which a message waits; one for all when classes are disabled. */
  public SendPriority classOf(PlumtreeMessage message) {
    return config.enabled() ? message.priority() : SendPriority.HIGH;
  }

  /** Adds a message behind those of its class. */
  public void add(PlumtreeMessage message) {
    SendPriority priority = classOf(message);
    ArrayDeque<PlumtreeMessage> queue = of(priority);
    meter.count(ENQUEUED, 1);
    if (message instanceof Prune && queue.contains(message)) {
      meter.count(PlumtreeMetric.PRIORITY_DROPPED, 1);
      return;
    }
    if (coalesced(queue, message)) return;
    if (queue.size() >= config.depth(priority)) drop(queue);
    queue.add(message);
    bytes += payload(message);
    while (bytes > maxBytes && dropPayloadBefore(message)) {
      meter.count(PlumtreeMetric.PRIORITY_DROPPED, 1);
    }
  }

  /** Drops the oldest payload of the least urgent class that has one besides the newcomer. */
  private boolean dropPayloadBefore(PlumtreeMessage newcomer) {
    if (payload(newcomer) == 0) return false;
    for (SendPriority priority : List.of(SendPriority.values()).reversed()) {
      Iterator<PlumtreeMessage> waiting = of(priority).iterator();
      while (waiting.hasNext()) {
        PlumtreeMessage oldest = waiting.next();
        if (oldest == newcomer || payload(oldest) == 0) continue;
        waiting.remove();
        bytes -= payload(oldest);
        return true;
      }
    }
    return false;
  }

  /** Merges two IHaves or two acknowledgements that fit into one. */
  private static boolean coalesced(ArrayDeque<PlumtreeMessage> queue, PlumtreeMessage message) {
    PlumtreeMessage last = queue.peekLast();
    if (last instanceof IHave before && message instanceof IHave more) {
      if (before.announcements().size() + more.announcements().size() > PlumtreeCodec.MAX_IDS) {
        return false;
      }
      List<Announcement> both = new ArrayList<>(before.announcements());
      both.addAll(more.announcements());
      queue.removeLast();
      queue.add(new IHave(both));
      return true;
    }
    if (last instanceof IHaveAck before && message instanceof IHaveAck more) {
      if (before.ids().size() + more.ids().size() > PlumtreeCodec.MAX_IDS) return false;
      List<BroadcastId> both = new ArrayList<>(before.ids());
      both.addAll(more.ids());
      queue.removeLast();
      queue.add(new IHaveAck(both));
      return true;
    }
    return false;
  }

  private void drop(ArrayDeque<PlumtreeMessage> queue) {
    bytes -= payload(queue.removeFirst());
    meter.count(PlumtreeMetric.PRIORITY_DROPPED, 1);
  }

  /** Takes the next message; each class gets as many turns in a row as its weight. */
  public Optional<PlumtreeMessage> poll() {
    return poll(priority -> true);
  }

  /** Takes the next message of a class that the link is ready for; other classes are skipped. */
  public Optional<PlumtreeMessage> poll(Predicate<SendPriority> ready) {
    Optional<PlumtreeMessage> next = pollWithCredit(ready);
    if (next.isPresent() || isEmpty()) return next;
    for (SendPriority priority : SendPriority.values())
      credit.put(priority, config.weight(priority));
    return pollWithCredit(ready);
  }

  private Optional<PlumtreeMessage> pollWithCredit(Predicate<SendPriority> ready) {
    for (SendPriority priority : SendPriority.values()) {
      int left = credit.getOrDefault(priority, 0);
      boolean mayGo = left > 0 && !of(priority).isEmpty() && ready.test(priority);
      if (!mayGo) continue;
      PlumtreeMessage next = of(priority).remove();
      credit.put(priority, left - 1);
      bytes -= payload(next);
      meter.count(PlumtreeMetric.PRIORITY_DEQUEUED, 1);
      return Optional.of(next);
    }
    return Optional.empty();
  }

  public boolean isEmpty() {
    return classes.values().stream().allMatch(ArrayDeque::isEmpty);
  }

  public int size() {
    return classes.values().stream().mapToInt(ArrayDeque::size).sum();
  }

  /** The waiting bytes of payload. */
  public long bytes() {
    return bytes;
  }

  private ArrayDeque<PlumtreeMessage> of(SendPriority priority) {
    return classes.computeIfAbsent(priority, p -> new ArrayDeque<>());
  }

  private static long payload(PlumtreeMessage message) {
    return switch (message) {
      case Gossip m -> m.payload().length;
      case PlumtreeMessage.SyncPush m ->
          m.messages().stream().mapToLong(pushed -> pushed.payload().length).sum();
      default -> 0;
    };
  }
}
