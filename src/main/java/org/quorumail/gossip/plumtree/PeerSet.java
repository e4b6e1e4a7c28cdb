package org.quorumail.gossip.plumtree;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Reason;

/**
 * A node's links in the overlay: those it chose from the hash ring, and those that other nodes
 * requested because they see another membership. An unreachable node is excluded for a while, and
 * the next one on its ring replaces it at once, before the membership declares it dead.
 */
final class PeerSet {
  /** An added or removed link; the caller updates the trees. */
  record LinkChange(Link link, @Nullable Reason removedFor) {}

  /**
   * The exclusion of an unreachable node.
   *
   * @param endsOnMessage whether a message from the node ends the exclusion. It does not when the
   *     last message did so just now: the node may send but not receive, as behind a packet filter
   */
  private record Exclusion(long until, boolean endsOnMessage) {}

  /** The longest exclusion, when neither the node nor the membership reports its return. */
  static final long EXCLUSION_MILLIS = 30_000;

  /** The time for which a neighbour's request for a link holds: two and a half greetings. */
  static final long REQUEST_MILLIS = 150_000;

  /** Above this many members a change waits for those that follow it, and is applied with them. */
  private static final int LARGE_MEMBERSHIP = 256;

  private static final long MEMBERSHIP_BATCH_MILLIS = 100;

  private final NodeId self;
  private final PlumtreeConfig config;
  private final Map<NodeId, Link> links = new LinkedHashMap<>();

  private final Map<NodeId, Exclusion> exclusions = new HashMap<>();

  /** The time of the message that last ended a node's exclusion. */
  private final Map<NodeId, Long> readmittedAt = new HashMap<>();

  private final Map<NodeId, String> joined = new HashMap<>();
  private final Set<NodeId> departed = new HashSet<>();
  private HashRing hashRing;
  private Set<NodeId> protectedIds = Set.of();
  private long usedSlots;
  private long applyMembershipAt = Long.MAX_VALUE;

  PeerSet(NodeId self, String zone, PlumtreeConfig config) {
    this.self = self;
    this.config = config;
    this.hashRing = HashRing.of(Map.of(self, zone));
  }

  @Nullable Link get(NodeId id) {
    return links.get(id);
  }

  Collection<Link> all() {
    return links.values();
  }

  int size() {
    return links.size();
  }

  HashRing hashRing() {
    return hashRing;
  }

  boolean isMember(NodeId id) {
    return (hashRing.contains(id) || joined.containsKey(id)) && !departed.contains(id);
  }

  /** The slots of all links, a bit per link. */
  long usedSlots() {
    return usedSlots;
  }

  /** The links on which a new tree starts to push, a bit per link. */
  long startsEager() {
    long bits = 0;
    for (Link link : links.values()) if (link.startsEager) bits |= 1L << link.slot;
    return bits;
  }

  List<LinkChange> memberUp(NodeId id, String zone, long now) {
    exclusions.remove(id);
    readmittedAt.remove(id);
    departed.remove(id);
    if (!hashRing.contains(id) || !hashRing.zone(id).equals(zone)) joined.put(id, zone);
    return applyMembership(now);
  }

  List<LinkChange> memberDown(NodeId id, long now) {
    joined.remove(id);
    if (hashRing.contains(id)) departed.add(id);
    List<LinkChange> changes = new ArrayList<>(remove(id, Reason.DEPARTED));
    changes.addAll(applyMembership(now));
    return changes;
  }

  private List<LinkChange> applyMembership(long now) {
    if (hashRing.size() > LARGE_MEMBERSHIP) {
      applyMembershipAt = Math.min(applyMembershipAt, now + MEMBERSHIP_BATCH_MILLIS);
      return List.of();
    }
    applyMembershipAt = now;
    return tick(now);
  }

  /** Applies the collected changes of the membership when they are due. */
  List<LinkChange> tick(long now) {
    if (now < applyMembershipAt) return List.of();
    return replaceMembers(hashRing.withChanges(joined, departed), now);
  }

  long deadline() {
    return applyMembershipAt;
  }

  /** Replaces the membership: members not in the snapshot lose their links, others may get one. */
  List<LinkChange> replaceMembers(HashRing snapshot, long now) {
    hashRing =
        snapshot.contains(self) ? snapshot : snapshot.withChanges(Map.of(self, ""), List.of());
    joined.clear();
    departed.clear();
    applyMembershipAt = Long.MAX_VALUE;
    exclusions.keySet().removeIf(id -> !hashRing.contains(id));
    readmittedAt.keySet().removeIf(id -> !hashRing.contains(id));
    List<LinkChange> changes = new ArrayList<>();
    for (Link link : List.copyOf(links.values())) {
      if (!hashRing.contains(link.id)) changes.addAll(remove(link.id, Reason.DEPARTED));
    }
    changes.addAll(chooseLinks(now));
    return changes;
  }

  /** Removes a failed link; the next node on the ring takes its place. */
  List<LinkChange> linkFailed(NodeId id, Reason reason, long now) {
    Long back = readmittedAt.get(id);
    boolean endsOnMessage = back == null || now - back >= EXCLUSION_MILLIS;
    exclusions.put(id, new Exclusion(now + EXCLUSION_MILLIS, endsOnMessage));
    List<LinkChange> changes = new ArrayList<>(remove(id, reason));
    changes.addAll(chooseLinks(now));
    return changes;
  }

  /** A message from an excluded node shows that it is alive. */
  List<LinkChange> messageReceived(NodeId id, long now) {
    if (exclusions.isEmpty()) return List.of();
    Exclusion exclusion = exclusions.get(id);
    if (exclusion == null) return List.of();
    if (!exclusion.endsOnMessage && now < exclusion.until) return List.of();
    exclusions.remove(id);
    readmittedAt.put(id, now);
    return chooseLinks(now);
  }

  /** Adds a link that the other end requests, unless there is no room or the node is excluded. */
  List<LinkChange> admit(NodeId id, long now) {
    Link link = links.get(id);
    List<LinkChange> changes = new ArrayList<>();
    if (link == null) {
      if (id.equals(self) || exclusions.containsKey(id)) return changes;
      if (links.size() >= config.maxLinks()) changes.addAll(evictUnchosen(now, false));
      if (links.size() >= config.maxLinks()) return changes;
      link = add(id, false, true, now);
      changes.add(new LinkChange(link, null));
    }
    link.requestedUntil = now + REQUEST_MILLIS;
    return changes;
  }

  /** Ends the links that neither end wants any more, and the exclusions that have expired. */
  List<LinkChange> maintain(long now) {
    List<LinkChange> changes = new ArrayList<>();
    readmittedAt.values().removeIf(back -> now - back >= EXCLUSION_MILLIS);
    boolean anyExpired = exclusions.values().removeIf(exclusion -> exclusion.until <= now);
    if (anyExpired) changes.addAll(chooseLinks(now));
    for (Link link : List.copyOf(links.values())) {
      boolean isWanted = link.chosen || link.requestedUntil > now;
      if (!isWanted) changes.addAll(remove(link.id, Reason.REPLACED));
    }
    return changes;
  }

  private int degree() {
    return Math.min(even(config.eagerFanout()) + even(config.lazyFanout()), config.maxLinks());
  }

  /** The paths over the links that all members choose when none is excluded. */
  OverlayPaths overlayPaths() {
    return hashRing.overlayPaths(degree(), config.useHashRing());
  }

  private List<LinkChange> chooseLinks(long now) {
    int degree = degree();
    List<NodeId> wanted =
        hashRing.neighbours(self, degree, config.useHashRing(), exclusions.keySet());
    protectedIds =
        config.protectRingNeighbors()
            ? hashRing.protectedNeighbours(self, config.maxProtectedNeighbors())
            : Set.of();
    List<LinkChange> changes = new ArrayList<>();
    for (Link link : links.values()) {
      if (link.chosen && !wanted.contains(link.id)) {
        link.chosen = false;
        // The other end may apply the same change of the membership later.
        link.requestedUntil = Math.max(link.requestedUntil, now + REQUEST_MILLIS / 10);
      }
    }
    int position = 0;
    for (NodeId id : wanted) {
      // In a full mesh all links are eager, as there are no rings to choose by.
      boolean eager = position++ < even(config.eagerFanout()) || hashRing.size() - 1 <= degree;
      Link link = links.get(id);
      if (link == null) {
        if (links.size() >= config.maxLinks()) changes.addAll(evictUnchosen(now, true));
        if (links.size() >= config.maxLinks()) continue;
        link = add(id, true, eager, now);
        changes.add(new LinkChange(link, null));
      }
      link.chosen = true;
      link.startsEager = eager;
    }
    return changes;
  }

  /** Rounds up to pairs of links: the next and the previous member of a ring. */
  private static int even(int fanout) {
    return fanout + (fanout & 1);
  }

  private List<LinkChange> evictUnchosen(long now, boolean evenRequested) {
    Optional<Link> evicted =
        links.values().stream()
            .filter(link -> !link.chosen && !protectedIds.contains(link.id))
            .filter(link -> evenRequested || link.requestedUntil <= now)
            .min(Comparator.comparingLong(link -> link.requestedUntil));
    return evicted.isPresent() ? remove(evicted.get().id, Reason.REPLACED) : List.of();
  }

  private Link add(NodeId id, boolean chosen, boolean eager, long now) {
    int slot = Long.numberOfTrailingZeros(~usedSlots);
    if (slot == PlumtreeConfig.MAX_LINKS) {
      throw new IllegalStateException("no slot is free for a link to " + id);
    }
    usedSlots |= 1L << slot;
    Link link =
        new Link(
            id,
            hashRing.zone(id),
            slot,
            new PeerScore(config.scoring(), now),
            new RateLimiter(config.graftRateLimitPerSecond(), config.graftRateLimitBurst(), now),
            AntiEntropy.originLimit(config, now),
            AntiEntropy.byteLimit(config, now),
            now);
    link.chosen = chosen;
    link.startsEager = eager;
    links.put(id, link);
    return link;
  }

  private List<LinkChange> remove(NodeId id, Reason reason) {
    Link link = links.remove(id);
    if (link == null) return List.of();
    usedSlots &= ~(1L << link.slot);
    return List.of(new LinkChange(link, reason));
  }

  /** A sentence about the first invariant that does not hold; null when all hold. */
  @Nullable String violation() {
    if (links.size() > config.maxLinks())
      return links.size() + " of " + config.maxLinks() + " links";
    if (links.containsKey(self)) return "a link to the node itself";
    long slots = 0;
    for (Link link : links.values()) {
      if ((slots >>> link.slot & 1) != 0) return "two links have slot " + link.slot;
      slots |= 1L << link.slot;
      if (exclusions.containsKey(link.id)) return "a link to the excluded node " + link.id;
      String inLink = link.violation();
      if (inLink != null) return "link to " + link.id + ": " + inLink;
    }
    return slots == usedSlots ? null : "the used slots are not those of the links";
  }
}
