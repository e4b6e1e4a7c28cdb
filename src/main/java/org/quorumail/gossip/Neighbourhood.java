package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.List;
import org.quorumail.gossip.PlumtreeEffect.NeighbourAdded;
import org.quorumail.gossip.PlumtreeEffect.NeighbourRemoved;
import org.quorumail.gossip.PlumtreeEffect.Reason;
import org.quorumail.gossip.PlumtreeMessage.Announcement;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMessage.IHave;
import org.quorumail.gossip.PlumtreeMessage.IHaveAck;
import org.quorumail.gossip.PlumtreeMessage.Neighbour;

/**
 * The links as they come and go, and what is said over each of its own accord: a greeting now and
 * then, acknowledgements and announcements in batches. Who does not react to that is gone.
 */
final class Neighbourhood {
  /** Words in vain after which a neighbour counts as gone. */
  private static final int SILENT_AFTER = 8;

  /** How often a chosen neighbour hears that it is one. */
  private static final long GREETING_MILLIS = 60_000;

  /** Greetings without an answer after which a neighbour counts as gone. */
  private static final int LOST_GREETINGS = 3;

  /** What a new neighbour is told of at once: the newest few, of the last seconds. */
  private static final int RECENT_MESSAGES = 64;

  private static final long RECENT_MILLIS = 10_000;

  /** Batches to one neighbour in one go: a bound on the effects of one tick. */
  private static final int MAX_BATCHES = 16;

  private final PlumtreeState state;
  private final Links links;
  private final AntiEntropy antiEntropy;

  Neighbourhood(PlumtreeState state, AntiEntropy antiEntropy) {
    this.state = state;
    this.links = state.links;
    this.antiEntropy = antiEntropy;
  }

  /** Tells the trees and the application what has become of links. */
  void apply(List<Links.Change> changes, long now) {
    for (Links.Change change : changes) {
      if (change.removedFor() == null) added(change.link(), now);
      else removed(change.link(), change.removedFor(), now);
    }
  }

  private void added(Link link, long now) {
    state.emit(new NeighbourAdded(link.id));
    state.meter.count(PlumtreeMetric.PEER_ADDED, 1);
    if (link.chosen) greet(link, now);
    if (link.startsEager && state.config.bridge().autoPromote()) {
      state.trees.forEach(tree -> state.promote(tree, link));
    }
    for (Gossip recent : state.cache.since(now - RECENT_MILLIS, RECENT_MESSAGES).reversed()) {
      state.announce(link, recent, now);
    }
    if (state.seen.size() > 0) antiEntropy.wanted(link.id);
  }

  private void greet(Link link, long now) {
    link.lastGreeted = now;
    state.send(link.id, new Neighbour(false));
  }

  private void removed(Link link, Reason reason, long now) {
    state.emit(new NeighbourRemoved(link.id, reason));
    state.meter.count(PlumtreeMetric.PEER_REMOVED, 1);
    state.trees.forEach(tree -> tree.forget(link));
    state.missing.forget(link.id, now);
  }

  /** Says what is due, and what has become a full batch. */
  void flush(long now) {
    for (Link link : links.all()) {
      boolean full = link.hasFullBatch(state.batcher.size());
      if (link.deadline() <= now || full) flush(link, now, full);
    }
  }

  /** To a neighbour that has a full batch. */
  void flushFull(Link link, long now) {
    if (link.hasFullBatch(state.batcher.size())) flush(link, now, true);
  }

  private void flush(Link link, long now, boolean atOnce) {
    List<MessageId> acks = link.takeAcks();
    for (int i = 0; i < acks.size(); i += PlumtreeCodec.MAX_IDS) {
      int end = Math.min(acks.size(), i + PlumtreeCodec.MAX_IDS);
      state.send(link.id, new IHaveAck(List.copyOf(acks.subList(i, end))));
    }
    int size = state.batcher.size();
    for (int batch = 0; batch < MAX_BATCHES; batch++) {
      List<Announcement> lines =
          link.takeAnnouncements(size, now, state.graftTimeout(), state.offerMillis(), atOnce);
      if (lines.isEmpty()) break;
      state.send(link.id, new IHave(lines));
      state.meter.count(PlumtreeMetric.IHAVE_SENT, 1);
      state.meter.sample(PlumtreeMetric.IHAVE_BATCH_SIZE, lines.size());
    }
  }

  /** Replaces those who acknowledge nothing. */
  void dropSilent(long now) {
    List<NodeId> silent = new ArrayList<>();
    for (Link link : links.all()) if (link.isSilent(SILENT_AFTER)) silent.add(link.id);
    for (NodeId id : silent) apply(links.failed(id, Reason.SILENT, now), now);
  }

  /** Greets whom it is time to greet, and replaces those who do not answer that. */
  void maintain(long now) {
    apply(links.maintain(now), now);
    List<NodeId> lost = new ArrayList<>();
    for (Link link : links.all()) {
      if (!link.chosen) continue;
      if (now - link.lastHeard > LOST_GREETINGS * GREETING_MILLIS + GREETING_MILLIS / 2) {
        lost.add(link.id);
      } else if (now - link.lastGreeted >= GREETING_MILLIS) {
        greet(link, now);
      }
    }
    for (NodeId id : lost) apply(links.failed(id, Reason.SILENT, now), now);
  }

  long deadline() {
    long next = links.deadline();
    for (Link link : links.all()) next = Math.min(next, link.deadline());
    return next;
  }
}
