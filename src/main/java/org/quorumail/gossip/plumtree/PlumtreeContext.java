package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.EagerPromotion;
import org.quorumail.gossip.plumtree.PlumtreeEffect.LazyDemotion;
import org.quorumail.gossip.plumtree.PlumtreeEffect.PruneSent;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Send;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;

/** The state that the parts of one {@link Plumtree} share, and the effects of the current event. */
final class PlumtreeContext {
  /** The time in which at most one prune is sent per link and tree (corrosion's figure). */
  static final long PRUNE_WINDOW_MILLIS = 1_000;

  /** The bound of the store, in multiples of the bytes of the cache. */
  private static final int STORE_FACTOR = 4;

  final NodeId self;
  final PlumtreeConfig config;
  final PlumtreeMeter meter;
  final PeerSet peers;
  final SpanningTrees trees;
  private final LongSupplier startsEager;
  final SeenTable seen;
  final MessageCache cache;

  /** The payloads for anti-entropy: a larger store if there is one, otherwise the cache. */
  final MessageCache store;

  final MissingTable missing = new MissingTable();
  final GraftStatistics graftStatistics;
  final IHaveBatchSizer batchSizer;
  private List<PlumtreeEffect> effects = new ArrayList<>();

  PlumtreeContext(NodeId self, String zone, PlumtreeConfig config, PlumtreeMeter meter, long now) {
    this.self = self;
    this.config = config;
    this.meter = meter;
    this.peers = new PeerSet(self, zone, config);
    this.trees = new SpanningTrees(config.maxTrees());
    this.startsEager = peers::startsEager;
    this.seen = new SeenTable(peers::isMember);
    this.cache =
        new MessageCache(
            config.messageCacheMaxSize(),
            config.messageCacheMaxBytes(),
            config.messageCacheTtl().toMillis());
    StorageConfig storage = config.storage();
    this.store =
        storage.enabled()
            ? new MessageCache(
                Math.max(storage.maxMessages(), config.messageCacheMaxSize()),
                STORE_FACTOR * config.messageCacheMaxBytes(),
                availabilityMillis())
            : cache;
    this.graftStatistics = new GraftStatistics(now);
    this.batchSizer = new IHaveBatchSizer(config.batcher(), config.ihaveBatchSize(), now);
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
   * The tree of a payload, created if it is new. There is none on overlay paths and when there is
   * no room. Nor is there one for an origin that is no member, as the number of those is unbounded.
   */
  Optional<SpanningTree> tree(TreeId id, long now) {
    if (id.isOverlayPaths()) return Optional.empty();
    if (!trees.has(id) && !peers.isMember(new NodeId(id.root()))) return Optional.empty();
    return trees.get(id, startsEager, now);
  }

  /** T1; also the wait before an unacknowledged message is announced again. */
  long graftTimeout() {
    return config.graftTimeout().toMillis();
  }

  long flushDelay() {
    return config.ihaveInterval().toMillis();
  }

  /** Makes a link eager; returns false when the tree has its most eager links. */
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

  /** Sends the payload itself; it is unacknowledged until the neighbour reacts. */
  void push(Link link, Gossip message, long now) {
    link.markPushed(
        message.tree(), message.id(), message.hop(), message.payload().length, now, graftTimeout());
    send(link.id, message);
    meter.count(PlumtreeMetric.GOSSIP_SENT, 1);
  }

  void announce(Link link, Gossip message, long now) {
    link.announce(message.tree(), message.id(), message.hop(), now, flushDelay());
  }

  /** The time for which any node can still send a payload. */
  long availabilityMillis() {
    long cached = config.messageCacheTtl().toMillis();
    long stored = config.storage().enabled() ? config.storage().retention().toMillis() : 0;
    return Math.max(cached, stored);
  }

  Optional<Gossip> findStored(BroadcastId id) {
    return store.get(id);
  }

  void storePayload(Gossip message, boolean pushed, long now) {
    cache.put(message, pushed, now);
    if (store != cache) store.put(message, pushed, now);
    meter.sample(PlumtreeMetric.MESSAGE_SIZE_BYTES, message.payload().length);
    batchSizer.countMessage();
  }
}
