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
 * What waits for a link that is slower than its traffic: four classes with a depth each, served by
 * weight, so a graft never waits behind payload and no class starves. When a class is full its
 * eldest makes room. Nothing is lost by that: prunes only save bytes, announcements are put
 * together before any is dropped, and a payload that is dropped was pushed and not acknowledged, so
 * it will be announced.
 *
 * <p>For one link, used by the link's owner.
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
   * @param maxBytes of waiting payloads; above it payloads make room, those for comparisons first
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

  /** In which class a message waits: one for all when classes are switched off. */
  public SendPriority classOf(PlumtreeMessage message) {
    return config.enabled() ? message.priority() : SendPriority.HIGH;
  }

  /** Puts a message behind those of its class. */
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

  /** The eldest payload of the least urgent class that has one besides the newcomer. */
  private boolean dropPayloadBefore(PlumtreeMessage newcomer) {
    if (payload(newcomer) == 0) return false;
    for (SendPriority priority : List.of(SendPriority.values()).reversed()) {
      Iterator<PlumtreeMessage> waiting = of(priority).iterator();
      while (waiting.hasNext()) {
        PlumtreeMessage eldest = waiting.next();
        if (eldest == newcomer || payload(eldest) == 0) continue;
        waiting.remove();
        bytes -= payload(eldest);
        return true;
      }
    }
    return false;
  }

  /** Two IHaves or two acknowledgements that fit into one are one. */
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

  /** The next message: each class gets as many in a row as its weight says. */
  public Optional<PlumtreeMessage> poll() {
    return poll(priority -> true);
  }

  /** The next message of a class that the link can take now; a class that it cannot is passed. */
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

  /** Bytes of payload that wait. */
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
