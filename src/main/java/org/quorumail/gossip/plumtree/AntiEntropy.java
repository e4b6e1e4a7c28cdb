package org.quorumail.gossip.plumtree;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.Hash64;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.OriginState;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPull;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncPush;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRange;
import org.quorumail.gossip.plumtree.PlumtreeMessage.SyncRequest;

/**
 * Anti-entropy: two neighbours compare their version vectors and fill each other's gaps. A request
 * holds the hash of one page of the vector. The entries travel only if the hashes differ. Then each
 * side sends or pulls the messages that the other lacks and a cache still holds. Pages follow until
 * the vector's end.
 *
 * <p>A node compares at each interval with one random neighbour and one in another zone. It
 * compares at once with a neighbour that may have been away.
 */
final class AntiEntropy {
  /** Origins in one page; the other side may have a quarter more, which still fits its answer. */
  private static final int PAGE_ORIGINS = 192;

  /** Payload bytes in one push; a larger message is pushed alone. */
  private static final int PUSH_BYTES = 32 * 1_024;

  /** The bound of one digest in bytes. */
  private static final int DIGEST_BYTES = 48 * 1_024;

  /** The bound of pulls for one page; the next comparison finds the rest. */
  private static final int MAX_PULLS = 10;

  /** The bound of payload bytes sent for one page or pull. */
  private static final long MAX_SENT_BYTES = 4L << 20;

  /** The bound of waiting neighbours; the periodic comparison reaches the others. */
  private static final int MAX_WAITING = 64;

  /** The longest wait for an answer. */
  private static final long RESPONSE_TIMEOUT_MILLIS = 5_000;

  private final PlumtreeContext context;
  private final EagerPush eagerPush;
  private final RandomGenerator random;
  private final ArrayDeque<NodeId> waitingPeers = new ArrayDeque<>();

  /** The messages to pull from a neighbour at a time, unless they come before. */
  private record PendingPull(NodeId from, List<BroadcastId> ids, long due) {}

  private final ArrayDeque<PendingPull> pendingPulls = new ArrayDeque<>();
  private long nextRound;
  private @Nullable NodeId partner;
  private long responseDeadline;

  AntiEntropy(PlumtreeContext context, EagerPush eagerPush, RandomGenerator random, long now) {
    this.context = context;
    this.eagerPush = eagerPush;
    this.random = random;
    this.nextRound = context.config.sync().enabled() ? now + pause() : Long.MAX_VALUE;
  }

  private long pause() {
    long interval = context.config.sync().syncInterval().toMillis();
    return interval * 3 / 4 + random.nextLong(Math.max(1, interval / 2));
  }

  long deadline() {
    long pull = pendingPulls.isEmpty() ? Long.MAX_VALUE : pendingPulls.element().due;
    if (partner != null) return Math.min(pull, Math.min(nextRound, responseDeadline));
    return waitingPeers.isEmpty() ? Math.min(pull, nextRound) : Long.MIN_VALUE;
  }

  /** Compares at once, with a neighbour that may have been away. */
  void compareSoon(NodeId peer) {
    if (!context.config.sync().enabled()) return;
    if (waitingPeers.size() < MAX_WAITING && !waitingPeers.contains(peer)) waitingPeers.add(peer);
  }

  void tick(long now) {
    if (now >= nextRound) {
      nextRound = now + pause();
      chooseRandomly();
    }
    if (partner != null && now >= responseDeadline) partner = null;
    pullDue(now);
    startNext(now);
  }

  private void chooseRandomly() {
    List<Link> links = List.copyOf(context.peers.all());
    if (links.isEmpty()) return;
    Link first = links.get(random.nextInt(links.size()));
    compareSoon(first.id);
    String zone = context.peers.hashRing().zone(context.self);
    List<Link> elsewhere = links.stream().filter(link -> !link.zone.equals(zone)).toList();
    if (!elsewhere.isEmpty()) compareSoon(elsewhere.get(random.nextInt(elsewhere.size())).id);
  }

  private void startNext(long now) {
    while (partner == null && !waitingPeers.isEmpty()) {
      NodeId peer = waitingPeers.remove();
      if (context.peers.get(peer) == null) continue;
      partner = peer;
      context.meter.count(PlumtreeMetric.SYNC_ROUNDS, 1);
      requestFrom(peer, "", now);
    }
  }

  private void requestFrom(NodeId peer, String after, long now) {
    responseDeadline = now + RESPONSE_TIMEOUT_MILLIS;
    List<BroadcastSource> page = page(new SyncRange(after, ""), PAGE_ORIGINS, now);
    String upTo = page.size() < PAGE_ORIGINS ? "" : page.getLast().origin().value();
    SyncRange range = new SyncRange(after, upTo);
    context.send(peer, new SyncRequest(range, digest(range, now)));
  }

  /** Limits the origins compared for a neighbour: two vectors at once, one per interval. */
  static RateLimiter originLimit(PlumtreeConfig config, long now) {
    return new RateLimiter(
        perSecond(SeenTable.MAX_SOURCES, config), 2 * SeenTable.MAX_SOURCES, now);
  }

  /** Limits the bytes sent to a neighbour: the bound of the cache, once per interval. */
  static RateLimiter byteLimit(PlumtreeConfig config, long now) {
    double all = (double) config.messageCacheMaxBytes();
    return new RateLimiter(perSecond(all, config), all, now);
  }

  private static double perSecond(double amount, PlumtreeConfig config) {
    return amount * 1_000 / config.sync().syncInterval().toMillis();
  }

  void onRequest(Link from, SyncRequest request, long now) {
    SyncRange requested = request.range();
    if (!from.syncOriginLimit.tryTake(1 + context.seen.count(requested), now)) return;
    if (digest(requested, now) == request.digest()) {
      context.send(from.id, new SyncDigest(requested, true, List.of()));
      return;
    }
    List<BroadcastSource> sources = page(requested, Integer.MAX_VALUE, now);
    List<OriginState> states = new ArrayList<>();
    int bytes = 0;
    for (BroadcastSource source :
        sources.subList(0, wholeOrigins(sources, PlumtreeCodec.MAX_STATES))) {
      OriginState entry = entry(source);
      bytes += NodeId.MAX_LENGTH + Long.BYTES * (3 + entry.words().length);
      if (bytes > DIGEST_BYTES) break;
      states.add(entry);
    }
    states = states.subList(0, wholeOrigins(sources, states.size()));
    SyncRange answered =
        states.size() == sources.size()
            ? requested
            : new SyncRange(requested.after(), states.getLast().origin().value());
    context.send(from.id, new SyncDigest(answered, false, List.copyOf(states)));
  }

  /** Handles an answer, only from the partner: this node chooses when it does the work. */
  void onDigest(Link from, SyncDigest answer, long now) {
    if (!from.id.equals(partner)) return;
    if (!answer.equal()) {
      schedulePull(from.id, answer.states(), now);
      sendLacking(from, answer, now);
    }
    if (answer.range().upTo().isEmpty()) {
      partner = null;
      startNext(now);
    } else {
      requestFrom(from.id, answer.range().upTo(), now);
    }
  }

  /** Schedules pulls of the messages that the other side holds and this node has not seen. */
  private void schedulePull(NodeId from, List<OriginState> theirs, long now) {
    List<BroadcastId> lacking = new ArrayList<>();
    for (OriginState entry : theirs) {
      BroadcastSource source = new BroadcastSource(entry.origin(), entry.incarnation());
      if (entry.oldest() == 0 || entry.origin().equals(context.self)) continue;
      SequenceWindow mine = context.seen.window(source);
      long first = Math.max(entry.oldest(), context.seen.hasSource(source) ? mine.floor() + 1 : 1);
      long last = entry.floor() + (long) entry.words().length * Long.SIZE;
      for (long s = first; s <= last && lacking.size() < MAX_PULLS * pullBatchSize(); s++) {
        if (entry.has(s) && !mine.contains(s)) {
          lacking.add(new BroadcastId(entry.origin(), entry.incarnation(), s));
        }
      }
    }
    if (lacking.isEmpty() || pendingPulls.size() >= MAX_WAITING) return;
    pendingPulls.add(new PendingPull(from, lacking, now + context.graftTimeout()));
  }

  /** Pulls the messages that have not arrived by now: most are only in transit when compared. */
  private void pullDue(long now) {
    while (!pendingPulls.isEmpty() && pendingPulls.element().due <= now) {
      PendingPull due = pendingPulls.remove();
      List<BroadcastId> ids = due.ids.stream().filter(id -> !context.seen.contains(id)).toList();
      for (int i = 0; i < ids.size(); i += pullBatchSize()) {
        int end = Math.min(ids.size(), i + pullBatchSize());
        context.send(due.from, new SyncPull(List.copyOf(ids.subList(i, end))));
      }
    }
  }

  private int pullBatchSize() {
    return Math.min(context.config.sync().maxBatchSize(), PlumtreeCodec.MAX_PULL);
  }

  /** Sends the messages that the other side lacks and this node has held for longer than T1. */
  private void sendLacking(Link to, SyncDigest answer, long now) {
    long heldSince = now - context.graftTimeout();
    List<Gossip> lacking = new ArrayList<>();
    Set<BroadcastSource> theirs = new HashSet<>();
    for (OriginState entry : answer.states()) {
      BroadcastSource source = new BroadcastSource(entry.origin(), entry.incarnation());
      theirs.add(source);
      for (Gossip message : context.store.messagesOf(source, heldSince)) {
        if (!entry.has(message.id().sequence())) lacking.add(message);
      }
    }
    for (BroadcastSource source : page(answer.range(), Integer.MAX_VALUE, now)) {
      if (!theirs.contains(source)) lacking.addAll(context.store.messagesOf(source, heldSince));
    }
    push(to, lacking, now);
  }

  void onPull(Link from, SyncPull wanted, long now) {
    List<Gossip> found = new ArrayList<>();
    for (BroadcastId id : wanted.ids()) context.findStored(id).ifPresent(found::add);
    push(from, found, now);
  }

  private void push(Link to, List<Gossip> messages, long now) {
    List<Gossip> batch = new ArrayList<>();
    long bytes = 0;
    long sent = 0;
    for (Gossip message : messages) {
      int size = message.payload().length;
      boolean full = batch.size() == PlumtreeCodec.MAX_PUSH || bytes + size > PUSH_BYTES;
      if (full && !batch.isEmpty()) {
        context.send(to.id, new SyncPush(List.copyOf(batch)));
        batch.clear();
        bytes = 0;
      }
      sent += size;
      if (sent > MAX_SENT_BYTES || !to.syncByteLimit.tryTake(size, now)) break;
      batch.add(message);
      bytes += size;
    }
    if (!batch.isEmpty()) context.send(to.id, new SyncPush(List.copyOf(batch)));
  }

  void onPush(Link from, SyncPush pushed, long now) {
    for (Gossip message : pushed.messages()) eagerPush.onSynced(from, message, now);
  }

  private List<BroadcastSource> page(SyncRange range, int max, long now) {
    long since = now - context.config.sync().syncWindow().toMillis();
    List<BroadcastSource> active = context.seen.active(range, since);
    return active.subList(0, wholeOrigins(active, max));
  }

  /**
   * The number of the first sources that make a page. As a range is one of origins, a page ends
   * between two incarnations of one origin only if they do not fit one page.
   */
  private static int wholeOrigins(List<BroadcastSource> sources, int max) {
    if (sources.size() <= max) return sources.size();
    int end = max;
    while (end > 0 && sources.get(end - 1).origin().equals(sources.get(end).origin())) end--;
    return end == 0 ? max : end;
  }

  private OriginState entry(BroadcastSource source) {
    SequenceWindow window = context.seen.window(source);
    long oldest = context.store.oldest(source);
    return new OriginState(
        source.origin(), source.incarnation(), oldest, window.floor(), window.words());
  }

  /** A hash over the seen messages, not the cached ones: caches expire at different times. */
  private long digest(SyncRange range, long now) {
    long hash = 0;
    for (BroadcastSource source : page(range, Integer.MAX_VALUE, now)) {
      SequenceWindow window = context.seen.window(source);
      hash = Hash64.mix(hash + source.origin().hash64() + source.incarnation());
      hash = Hash64.mix(hash + window.floor());
      for (long word : window.words()) hash = Hash64.mix(hash + word);
    }
    return hash;
  }
}
