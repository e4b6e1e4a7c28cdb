package org.quorumail.gossip;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.OriginState;
import org.quorumail.gossip.PlumtreeMessage.SyncDigest;
import org.quorumail.gossip.PlumtreeMessage.SyncPull;
import org.quorumail.gossip.PlumtreeMessage.SyncPush;
import org.quorumail.gossip.PlumtreeMessage.SyncRange;
import org.quorumail.gossip.PlumtreeMessage.SyncRequest;

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
  private static final int PAGE = 192;

  /** Bytes of payload in one push; a larger message goes alone. */
  private static final int PUSH_BYTES = 32 * 1_024;

  /** Bytes of one digest at most. */
  private static final int DIGEST_BYTES = 48 * 1_024;

  /** Pulls sent for one page; what is left waits for the next comparison. */
  private static final int MAX_PULLS = 10;

  /** Payload bytes given for one page or pull. */
  private static final long MAX_GIVEN = 4L << 20;

  /** Neighbours that wait for their comparison; more are met by the periodic one. */
  private static final int MAX_WAITING = 64;

  /** An answer that takes longer is not waited for. */
  private static final long ANSWER_MILLIS = 5_000;

  private final PlumtreeState state;
  private final Spreading spreading;
  private final RandomGenerator random;
  private final ArrayDeque<NodeId> waiting = new ArrayDeque<>();

  /** What a neighbour has and we have not, and when to ask for it. */
  private record Lacking(NodeId from, List<MessageId> ids, long due) {}

  private final ArrayDeque<Lacking> lackings = new ArrayDeque<>();
  private long nextRound;
  private @Nullable NodeId partner;
  private long partnerUntil;

  AntiEntropy(PlumtreeState state, Spreading spreading, RandomGenerator random, long now) {
    this.state = state;
    this.spreading = spreading;
    this.random = random;
    this.nextRound = state.config.sync().enabled() ? now + pause() : Long.MAX_VALUE;
  }

  private long pause() {
    long interval = state.config.sync().syncInterval().toMillis();
    return interval * 3 / 4 + random.nextLong(Math.max(1, interval / 2));
  }

  long deadline() {
    long pull = lackings.isEmpty() ? Long.MAX_VALUE : lackings.element().due;
    if (partner != null) return Math.min(pull, Math.min(nextRound, partnerUntil));
    return waiting.isEmpty() ? Math.min(pull, nextRound) : Long.MIN_VALUE;
  }

  /** A link to a node that may have been away: compare at once. */
  void wanted(NodeId peer) {
    if (!state.config.sync().enabled()) return;
    if (waiting.size() < MAX_WAITING && !waiting.contains(peer)) waiting.add(peer);
  }

  void tick(long now) {
    if (now >= nextRound) {
      nextRound = now + pause();
      chooseRandomly();
    }
    if (partner != null && now >= partnerUntil) partner = null;
    pullDue(now);
    next(now);
  }

  private void chooseRandomly() {
    List<Link> links = List.copyOf(state.links.all());
    if (links.isEmpty()) return;
    Link first = links.get(random.nextInt(links.size()));
    wanted(first.id);
    String zone = state.links.roster().zone(state.self);
    List<Link> elsewhere = links.stream().filter(link -> !link.zone.equals(zone)).toList();
    if (!elsewhere.isEmpty()) wanted(elsewhere.get(random.nextInt(elsewhere.size())).id);
  }

  private void next(long now) {
    while (partner == null && !waiting.isEmpty()) {
      NodeId peer = waiting.remove();
      if (state.links.get(peer) == null) continue;
      partner = peer;
      state.meter.count(PlumtreeMetric.SYNC_ROUNDS, 1);
      ask(peer, "", now);
    }
  }

  private void ask(NodeId peer, String after, long now) {
    partnerUntil = now + ANSWER_MILLIS;
    List<Source> page = page(new SyncRange(after, ""), PAGE, now);
    String upTo = page.size() < PAGE ? "" : page.getLast().origin().value();
    SyncRange range = new SyncRange(after, upTo);
    state.send(peer, new SyncRequest(range, digest(range, now)));
  }

  /**
   * How many origins a neighbour may have compared: two whole vectors at once, one per interval.
   */
  static RateLimit comparisons(PlumtreeConfig config, long now) {
    return new RateLimit(perSecond(SeenTable.MAX_SOURCES, config), 2 * SeenTable.MAX_SOURCES, now);
  }

  /** How many bytes a neighbour may be given: all that a cache holds, once per interval. */
  static RateLimit gifts(PlumtreeConfig config, long now) {
    double all = (double) config.messageCacheMaxBytes();
    return new RateLimit(perSecond(all, config), all, now);
  }

  private static double perSecond(double amount, PlumtreeConfig config) {
    return amount * 1_000 / config.sync().syncInterval().toMillis();
  }

  void onRequest(Link from, SyncRequest request, long now) {
    SyncRange asked = request.range();
    if (!from.comparisons.take(1 + state.seen.count(asked), now)) return;
    if (digest(asked, now) == request.digest()) {
      state.send(from.id, new SyncDigest(asked, true, List.of()));
      return;
    }
    List<Source> sources = page(asked, Integer.MAX_VALUE, now);
    List<OriginState> states = new ArrayList<>();
    int bytes = 0;
    for (Source source : sources.subList(0, wholeOrigins(sources, PlumtreeCodec.MAX_STATES))) {
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
    state.send(from.id, new SyncDigest(answered, false, List.copyOf(states)));
  }

  /** Only from whom we asked: the work that it takes is the asker's to choose. */
  void onDigest(Link from, SyncDigest answer, long now) {
    if (!from.id.equals(partner)) return;
    if (!answer.equal()) {
      pull(from.id, answer.states(), now);
      give(from, answer, now);
    }
    if (answer.range().upTo().isEmpty()) {
      partner = null;
      next(now);
    } else {
      ask(from.id, answer.range().upTo(), now);
    }
  }

  /** Asks for what the other side has seen, still has, and we have not seen. */
  private void pull(NodeId from, List<OriginState> theirs, long now) {
    List<MessageId> lacking = new ArrayList<>();
    for (OriginState entry : theirs) {
      Source source = new Source(entry.origin(), entry.incarnation());
      if (entry.oldest() == 0 || entry.origin().equals(state.self)) continue;
      SequenceWindow mine = state.seen.window(source);
      long first = Math.max(entry.oldest(), state.seen.knows(source) ? mine.floor() + 1 : 1);
      long last = entry.floor() + (long) entry.words().length * Long.SIZE;
      for (long s = first; s <= last && lacking.size() < MAX_PULLS * batch(); s++) {
        if (entry.has(s) && !mine.contains(s)) {
          lacking.add(new MessageId(entry.origin(), entry.incarnation(), s));
        }
      }
    }
    if (lacking.isEmpty() || lackings.size() >= MAX_WAITING) return;
    lackings.add(new Lacking(from, lacking, now + state.graftTimeout()));
  }

  /** Asks for what has still not come: most of what is lacking is just on its way. */
  private void pullDue(long now) {
    while (!lackings.isEmpty() && lackings.element().due <= now) {
      Lacking due = lackings.remove();
      List<MessageId> ids = due.ids.stream().filter(id -> !state.seen.contains(id)).toList();
      for (int i = 0; i < ids.size(); i += batch()) {
        int end = Math.min(ids.size(), i + batch());
        state.send(due.from, new SyncPull(List.copyOf(ids.subList(i, end))));
      }
    }
  }

  private int batch() {
    return Math.min(state.config.sync().maxBatchSize(), PlumtreeCodec.MAX_PULL);
  }

  /** Sends what the other side's entries lack and our cache has held for longer than T1. */
  private void give(Link to, SyncDigest answer, long now) {
    long settled = now - state.graftTimeout();
    List<Gossip> gifts = new ArrayList<>();
    Set<Source> told = new HashSet<>();
    for (OriginState entry : answer.states()) {
      Source source = new Source(entry.origin(), entry.incarnation());
      told.add(source);
      for (Gossip message : state.kept.of(source, settled)) {
        if (!entry.has(message.id().sequence())) gifts.add(message);
      }
    }
    for (Source source : page(answer.range(), Integer.MAX_VALUE, now)) {
      if (!told.contains(source)) gifts.addAll(state.kept.of(source, settled));
    }
    push(to, gifts, now);
  }

  void onPull(Link from, SyncPull wanted, long now) {
    List<Gossip> found = new ArrayList<>();
    for (MessageId id : wanted.ids()) state.find(id).ifPresent(found::add);
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
        state.send(to.id, new SyncPush(List.copyOf(batch)));
        batch.clear();
        bytes = 0;
      }
      given += size;
      if (given > MAX_GIVEN || !to.gifts.take(size, now)) break;
      batch.add(message);
      bytes += size;
    }
    if (!batch.isEmpty()) state.send(to.id, new SyncPush(List.copyOf(batch)));
  }

  void onPush(Link from, SyncPush pushed, long now) {
    for (Gossip message : pushed.messages()) spreading.onSynced(from, message, now);
  }

  private List<Source> page(SyncRange range, int max, long now) {
    long since = now - state.config.sync().syncWindow().toMillis();
    List<Source> active = state.seen.active(range, since);
    return active.subList(0, wholeOrigins(active, max));
  }

  /**
   * How many of the first sources make a page: it never ends between two lives of one origin,
   * because a range is one of origins; but for one with more lives than fit.
   */
  private static int wholeOrigins(List<Source> sources, int max) {
    if (sources.size() <= max) return sources.size();
    int end = max;
    while (end > 0 && sources.get(end - 1).origin().equals(sources.get(end).origin())) end--;
    return end == 0 ? max : end;
  }

  private OriginState entry(Source source) {
    SequenceWindow window = state.seen.window(source);
    long oldest = state.kept.oldest(source);
    return new OriginState(
        source.origin(), source.incarnation(), oldest, window.floor(), window.words());
  }

  /** Over what was seen, not over what is cached: caches age at different moments. */
  private long digest(SyncRange range, long now) {
    long hash = 0;
    for (Source source : page(range, Integer.MAX_VALUE, now)) {
      SequenceWindow window = state.seen.window(source);
      hash = Hash64.mix(hash + source.origin().hash64() + source.incarnation());
      hash = Hash64.mix(hash + window.floor());
      for (long word : window.words()) hash = Hash64.mix(hash + word);
    }
    return hash;
  }
}
