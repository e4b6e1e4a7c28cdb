package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.quorumail.gossip.PlumtreeEffect.EagerPromotion;
import org.quorumail.gossip.PlumtreeEffect.LazyDemotion;
import org.quorumail.gossip.PlumtreeEffect.PruneSent;
import org.quorumail.gossip.PlumtreeEffect.Send;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.Prune;

/** What the parts of a {@link Plumtree} share: its tables, and the effects of the input at hand. */
final class PlumtreeState {
  /** One prune per link, tree and second at most (corrosion's figure). */
  static final long PRUNE_WINDOW_MILLIS = 1_000;

  /** A store may hold so many times the bytes of the cache. */
  private static final int STORE_FACTOR = 4;

  final NodeId self;
  final PlumtreeConfig config;
  final PlumtreeMeter meter;
  final Links links;
  final SpanningTrees trees;
  private final LongSupplier startsEager;
  final SeenTable seen;
  final MessageCache cache;

  /** What anti-entropy can offer: the store when there is one, which holds all the cache does. */
  final MessageCache kept;

  final MissingTable missing = new MissingTable();
  final GraftOutcomes grafts;
  final IHaveBatcher batcher;
  private List<PlumtreeEffect> effects = new ArrayList<>();

  PlumtreeState(NodeId self, String zone, PlumtreeConfig config, PlumtreeMeter meter, long now) {
    this.self = self;
    this.config = config;
    this.meter = meter;
    this.links = new Links(self, zone, config);
    this.trees = new SpanningTrees(config.maxTrees());
    this.startsEager = links::startsEager;
    this.seen = new SeenTable(links::isMember);
    this.cache =
        new MessageCache(
            config.messageCacheMaxSize(),
            config.messageCacheMaxBytes(),
            config.messageCacheTtl().toMillis());
    StorageConfig storage = config.storage();
    this.kept =
        storage.enabled()
            ? new MessageCache(
                Math.max(storage.maxMessages(), config.messageCacheMaxSize()),
                STORE_FACTOR * config.messageCacheMaxBytes(),
                offerMillis())
            : cache;
    this.grafts = new GraftOutcomes(now);
    this.batcher = new IHaveBatcher(config.batcher(), config.ihaveBatchSize(), now);
  }

  void emit(PlumtreeEffect effect) {
    effects.add(effect);
  }

  void send(NodeId to, PlumtreeMessage message) {
    effects.add(new Send(to, message, message.priority()));
  }

  List<PlumtreeEffect> takeEffects() {
    List<PlumtreeEffect> taken = effects;
    effects = new ArrayList<>();
    return taken;
  }

  /**
   * The tree by which a payload goes, made if it is new. None when the chart tells the way, when
   * there is no room, and for an origin that is no member: those have no end.
   */
  Optional<SpanningTree> tree(TreeId id, long now) {
    if (id.isCharted()) return Optional.empty();
    if (!trees.has(id) && !links.isMember(new NodeId(id.root()))) return Optional.empty();
    return trees.get(id, startsEager, now);
  }

  /** T1, also the patience with an unacknowledged word. */
  long graftTimeout() {
    return config.graftTimeout().toMillis();
  }

  long flushDelay() {
    return config.ihaveInterval().toMillis();
  }

  /** From now on this link pushes in the tree, unless it has as many as it may. */
  boolean promote(SpanningTree tree, Link link) {
    boolean full = config.maxEagerPeers() > 0 && tree.eagerCount() >= config.maxEagerPeers();
    if (!tree.isEager(link) && full) return false;
    if (tree.promote(link)) {
      emit(new EagerPromotion(tree.id, link.id));
      meter.count(PlumtreeMetric.PEER_PROMOTIONS, 1);
    }
    return true;
  }

  void demote(SpanningTree tree, Link link) {
    if (!tree.demote(link)) return;
    emit(new LazyDemotion(tree.id, link.id));
    meter.count(PlumtreeMetric.PEER_DEMOTIONS, 1);
  }

  void prune(SpanningTree tree, Link link, long now) {
    demote(tree, link);
    tree.pruned(link, now, PRUNE_WINDOW_MILLIS);
    send(link.id, new Prune(tree.id));
    emit(new PruneSent(link.id));
    meter.count(PlumtreeMetric.PRUNE_SENT, 1);
  }

  /** Sends the payload itself; counts as told until acknowledged. */
  void push(Link link, Gossip message, long now) {
    link.pushed(
        message.tree(), message.id(), message.hop(), message.payload().length, now, graftTimeout());
    send(link.id, message);
    meter.count(PlumtreeMetric.GOSSIP_SENT, 1);
  }

  void announce(Link link, Gossip message, long now) {
    link.announce(message.tree(), message.id(), message.hop(), now, flushDelay());
  }

  /** How long a message can still be offered by anyone. */
  long offerMillis() {
    long cached = config.messageCacheTtl().toMillis();
    long stored = config.storage().enabled() ? config.storage().retention().toMillis() : 0;
    return Math.max(cached, stored);
  }

  Optional<Gossip> find(MessageId id) {
    return kept.get(id);
  }

  void keep(Gossip message, boolean pushed, long now) {
    cache.put(message, pushed, now);
    if (kept != cache) kept.put(message, pushed, now);
    meter.sample(PlumtreeMetric.MESSAGE_SIZE_BYTES, message.payload().length);
    batcher.message();
  }
}
