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
 * The overlay as one node sees it: the links it chose from the roster, and those that others asked
 * for because they see another roster. A node that cannot be reached is passed over for a while,
 * and the next on its ring is taken at once, before the membership has judged.
 */
final class PeerSet {
  /** A link that came or went; the caller tells the trees. */
  record LinkChange(Link link, @Nullable Reason removedFor) {}

  /**
   * A node that is passed over.
   *
   * @param endsOnMessage whether a word from it counts. Not when the last one brought it back just
   *     now: it can be heard and not reached, as behind a packet filter
   */
  private record Exclusion(long until, boolean endsOnMessage) {}

  /** How long a failed node is passed over when neither it nor the membership says it is back. */
  static final long EXCLUSION_MILLIS = 30_000;

  /** How long a wish of the neighbour's holds: two and a half of its greetings. */
  static final long REQUEST_MILLIS = 150_000;

  /** Above this many members a change is not worked in at once but with those that follow it. */
  private static final int LARGE_MEMBERSHIP = 256;

  private static final long MEMBERSHIP_BATCH_MILLIS = 100;

  private final NodeId self;
  private final PlumtreeConfig config;
  private final Map<NodeId, Link> links = new LinkedHashMap<>();

  /** Whom we pass over. */
  private final Map<NodeId, Exclusion> exclusions = new HashMap<>();

  /** When a word of its own last brought a node back. */
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

  /** Bit per link on which a new tree starts to push. */
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

  /** Works in what came together. */
  List<LinkChange> tick(long now) {
    if (now < applyMembershipAt) return List.of();
    return replaceMembers(hashRing.withChanges(joined, departed), now);
  }

  long deadline() {
    return applyMembershipAt;
  }

  /** Both ways: what is not in the snapshot loses its link, what is may get one. */
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

  /** The link failed: the next one takes its place. */
  List<LinkChange> linkFailed(NodeId id, Reason reason, long now) {
    Long back = readmittedAt.get(id);
    boolean endsByWord = back == null || now - back >= EXCLUSION_MILLIS;
    exclusions.put(id, new Exclusion(now + EXCLUSION_MILLIS, endsByWord));
    List<LinkChange> changes = new ArrayList<>(remove(id, reason));
    changes.addAll(chooseLinks(now));
    return changes;
  }

  /** A word from a node that was passed over: it is there. */
  List<LinkChange> messageReceived(NodeId id, long now) {
    if (exclusions.isEmpty()) return List.of();
    Exclusion absence = exclusions.get(id);
    if (absence == null || (!absence.endsOnMessage && now < absence.until)) return List.of();
    exclusions.remove(id);
    readmittedAt.put(id, now);
    return chooseLinks(now);
  }

  /** A link that the other end wants; none when there is no room, or it cannot be reached. */
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

  /** Ends links that nobody wants any more and lets failed nodes be tried again. */
  List<LinkChange> maintain(long now) {
    List<LinkChange> changes = new ArrayList<>();
    readmittedAt.values().removeIf(back -> now - back >= EXCLUSION_MILLIS);
    if (exclusions.values().removeIf(absence -> absence.until <= now))
      changes.addAll(chooseLinks(now));
    for (Link link : List.copyOf(links.values())) {
      if (!link.chosen && link.requestedUntil <= now)
        changes.addAll(remove(link.id, Reason.REPLACED));
    }
    return changes;
  }

  private int degree() {
    return Math.min(even(config.eagerFanout()) + even(config.lazyFanout()), config.maxLinks());
  }

  /** Everyone's links, if nobody had failed. */
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
        // The other end may see this later than we do.
        link.requestedUntil = Math.max(link.requestedUntil, now + REQUEST_MILLIS / 10);
      }
    }
    int place = 0;
    for (NodeId id : wanted) {
      // A full mesh has no rings to tell eager links from lazy ones.
      boolean eager = place++ < even(config.eagerFanout()) || hashRing.size() - 1 <= degree;
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

  /** Links come in pairs: the next and the one before. */
  private static int even(int fanout) {
    return fanout + (fanout & 1);
  }

  private List<LinkChange> evictUnchosen(long now, boolean evenWanted) {
    Optional<Link> guest =
        links.values().stream()
            .filter(link -> !link.chosen && !protectedIds.contains(link.id))
            .filter(link -> evenWanted || link.requestedUntil <= now)
            .min(Comparator.comparingLong(link -> link.requestedUntil));
    return guest.isPresent() ? remove(guest.get().id, Reason.REPLACED) : List.of();
  }

  private Link add(NodeId id, boolean chosen, boolean eager, long now) {
    int slot = Long.numberOfTrailingZeros(~usedSlots);
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

  List<LinkChange> remove(NodeId id, Reason reason) {
    Link link = links.remove(id);
    if (link == null) return List.of();
    usedSlots &= ~(1L << link.slot);
    return List.of(new LinkChange(link, reason));
  }
}
