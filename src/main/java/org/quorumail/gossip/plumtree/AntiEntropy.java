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
 * Compares with a neighbour what both have seen, and fills the gaps of either side. A page of the
 * version vector is asked about by its hash; only where the hashes differ do the entries travel,
 * and then each side sends or asks for what the other lacks and a cache still holds. Pages follow
 * each other until the vector is through.
 *
 * <p>Every interval with one random neighbour and one in another zone, and at once over a link to a
 * node that was away.
 */
final class AntiEntropy {
  /** Origins in one page; a quarter of it may appear only on the other side and still fit. */
  private static final int PAGE_ORIGINS = 192;

  /** Bytes of payload in one push; a larger message goes alone. */
  private static final int PUSH_BYTES = 32 * 1_024;

  /** Bytes of one digest at most. */
  private static final int DIGEST_BYTES = 48 * 1_024;

  /** Pulls sent for one page; what is left waits for the next comparison. */
  private static final int MAX_PULLS = 10;

  /** Payload bytes given for one page or pull. */
  private static final long MAX_SENT_BYTES = 4L << 20;

  /** Neighbours that wait for their comparison; more are met by the periodic one. */
  private static final int MAX_WAITING = 64;

  /** An answer that takes longer is not waited for. */
  private static final long RESPONSE_TIMEOUT_MILLIS = 5_000;

  private final PlumtreeContext context;
  private final EagerPush eagerPush;
  private final RandomGenerator random;
  private final ArrayDeque<NodeId> waitingPeers = new ArrayDeque<>();

  /** What a neighbour has and we have not, and when to ask for it. */
  private record PendingPull(NodeId from, List<BroadcastId> ids, long due) {}

  private final ArrayDeque<PendingPull> pendingPulls = new ArrayDeque<>();
  private long nextRound;
  private @Nullable NodeId partner;
  private long responseDeadline;

  AntiEntropy(PlumtreeContext state, EagerPush spreading, RandomGenerator random, long now) {
    this.context = state;
    this.eagerPush = spreading;
    this.random = random;
    this.nextRound = state.config.sync().enabled() ? now + pause() : Long.MAX_VALUE;
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

  /** A link to a node that may have been away: compare at once. */
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

  /**
   * How many origins a neighbour may have compared: two whole vectors at once, one per interval.
   */
  static RateLimiter originLimit(PlumtreeConfig config, long now) {
    return new RateLimiter(
        perSecond(SeenTable.MAX_SOURCES, config), 2 * SeenTable.MAX_SOURCES, now);
  }

  /** How many bytes a neighbour may be given: all that a cache holds, once per interval. */
  static RateLimiter byteLimit(PlumtreeConfig config, long now) {
    double all = (double) config.messageCacheMaxBytes();
    return new RateLimiter(perSecond(all, config), all, now);
  }

  private static double perSecond(double amount, PlumtreeConfig config) {
    return amount * 1_000 / config.sync().syncInterval().toMillis();
  }

  void onRequest(Link from, SyncRequest request, long now) {
    SyncRange asked = request.range();
    if (!from.syncOriginLimit.tryTake(1 + context.seen.count(asked), now)) return;
    if (digest(asked, now) == request.digest()) {
      context.send(from.id, new SyncDigest(asked, true, List.of()));
      return;
    }
    List<BroadcastSource> sources = page(asked, Integer.MAX_VALUE, now);
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
            ? asked
            : new SyncRange(asked.after(), states.getLast().origin().value());
    context.send(from.id, new SyncDigest(answered, false, List.copyOf(states)));
  }

  /** Only from whom we asked: the work that it takes is the asker's to choose. */
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

  /** Asks for what the other side has seen, still has, and we have not seen. */
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

  /** Asks for what has still not come: most of what is lacking is just on its way. */
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

  /** Sends what the other side's entries lack and our cache has held for longer than T1. */
  private void sendLacking(Link to, SyncDigest answer, long now) {
    long settled = now - context.graftTimeout();
    List<Gossip> gifts = new ArrayList<>();
    Set<BroadcastSource> told = new HashSet<>();
    for (OriginState entry : answer.states()) {
      BroadcastSource source = new BroadcastSource(entry.origin(), entry.incarnation());
      told.add(source);
      for (Gossip message : context.store.messagesOf(source, settled)) {
        if (!entry.has(message.id().sequence())) gifts.add(message);
      }
    }
    for (BroadcastSource source : page(answer.range(), Integer.MAX_VALUE, now)) {
      if (!told.contains(source)) gifts.addAll(context.store.messagesOf(source, settled));
    }
    push(to, gifts, now);
  }

  void onPull(Link from, SyncPull wanted, long now) {
    List<Gossip> found = new ArrayList<>();
    for (BroadcastId id : wanted.ids()) context.findStored(id).ifPresent(found::add);
    push(from, found, now);
  }

  private void push(Link to, List<Gossip> messages, long now) {
    List<Gossip> batch = new ArrayList<>();
    long bytes = 0;
    long given = 0;
    for (Gossip message : messages) {
      int size = message.payload().length;
      boolean full = batch.size() == PlumtreeCodec.MAX_PUSH || bytes + size > PUSH_BYTES;
      if (full && !batch.isEmpty()) {
        context.send(to.id, new SyncPush(List.copyOf(batch)));
        batch.clear();
        bytes = 0;
      }
      given += size;
      if (given > MAX_SENT_BYTES || !to.syncByteLimit.tryTake(size, now)) break;
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
   * How many of the first sources make a page: it never ends between two lives of one origin,
   * because a range is one of origins; but for one with more lives than fit.
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

  /** Over what was seen, not over what is cached: caches age at different moments. */
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
