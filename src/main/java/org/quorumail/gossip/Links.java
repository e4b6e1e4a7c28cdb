package org.quorumail.gossip;

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
import org.quorumail.gossip.PlumtreeEffect.Reason;

/**
 * The overlay as one node sees it: the links it chose from the roster, and those that others asked
 * for because they see another roster. A node that cannot be reached is passed over for a while,
 * and the next on its ring is taken at once, before the membership has judged.
 */
final class Links {
  /** A link that came or went; the caller tells the trees. */
  record Change(Link link, @Nullable Reason removedFor) {}

  /**
   * A node that is passed over.
   *
   * @param endsByWord whether a word from it counts. Not when the last one brought it back just
   *     now: it can be heard and not reached, as behind a packet filter
   */
  private record Absence(long until, boolean endsByWord) {}

  /** How long a failed node is passed over when neither it nor the membership says it is back. */
  static final long PASSED_OVER_MILLIS = 30_000;

  /** How long a wish of the neighbour's holds: two and a half of its greetings. */
  static final long WISH_MILLIS = 150_000;

  /** Above this many members a change is not worked in at once but with those that follow it. */
  private static final int LARGE_ROSTER = 256;

  private static final long WORK_IN_MILLIS = 100;

  private final NodeId self;
  private final PlumtreeConfig config;
  private final Map<NodeId, Link> links = new LinkedHashMap<>();

  /** Whom we pass over. */
  private final Map<NodeId, Absence> absences = new HashMap<>();

  /** When a word of its own last brought a node back. */
  private final Map<NodeId, Long> broughtBack = new HashMap<>();

  private final Map<NodeId, String> joined = new HashMap<>();
  private final Set<NodeId> departed = new HashSet<>();
  private Roster roster;
  private Set<NodeId> protectedIds = Set.of();
  private long usedSlots;
  private long workInAt = Long.MAX_VALUE;

  Links(NodeId self, String zone, PlumtreeConfig config) {
    this.self = self;
    this.config = config;
    this.roster = Roster.of(Map.of(self, zone));
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

  Roster roster() {
    return roster;
  }

  boolean isMember(NodeId id) {
    return (roster.contains(id) || joined.containsKey(id)) && !departed.contains(id);
  }

  /** Bit per link on which a new tree starts to push. */
  long startsEager() {
    long bits = 0;
    for (Link link : links.values()) if (link.startsEager) bits |= 1L << link.slot;
    return bits;
  }

  List<Change> up(NodeId id, String zone, long now) {
    absences.remove(id);
    broughtBack.remove(id);
    departed.remove(id);
    if (!roster.contains(id) || !roster.zone(id).equals(zone)) joined.put(id, zone);
    return workIn(now);
  }

  List<Change> down(NodeId id, long now) {
    joined.remove(id);
    if (roster.contains(id)) departed.add(id);
    List<Change> changes = new ArrayList<>(remove(id, Reason.DEPARTED));
    changes.addAll(workIn(now));
    return changes;
  }

  private List<Change> workIn(long now) {
    if (roster.size() > LARGE_ROSTER) {
      workInAt = Math.min(workInAt, now + WORK_IN_MILLIS);
      return List.of();
    }
    workInAt = now;
    return tick(now);
  }

  /** Works in what came together. */
  List<Change> tick(long now) {
    if (now < workInAt) return List.of();
    return replace(roster.changed(joined, departed), now);
  }

  long deadline() {
    return workInAt;
  }

  /** Both ways: what is not in the snapshot loses its link, what is may get one. */
  List<Change> replace(Roster snapshot, long now) {
    roster = snapshot.contains(self) ? snapshot : snapshot.changed(Map.of(self, ""), List.of());
    joined.clear();
    departed.clear();
    workInAt = Long.MAX_VALUE;
    absences.keySet().removeIf(id -> !roster.contains(id));
    broughtBack.keySet().removeIf(id -> !roster.contains(id));
    List<Change> changes = new ArrayList<>();
    for (Link link : List.copyOf(links.values())) {
      if (!roster.contains(link.id)) changes.addAll(remove(link.id, Reason.DEPARTED));
    }
    changes.addAll(choose(now));
    return changes;
  }

  /** The link failed: the next one takes its place. */
  List<Change> failed(NodeId id, Reason reason, long now) {
    Long back = broughtBack.get(id);
    boolean endsByWord = back == null || now - back >= PASSED_OVER_MILLIS;
    absences.put(id, new Absence(now + PASSED_OVER_MILLIS, endsByWord));
    List<Change> changes = new ArrayList<>(remove(id, reason));
    changes.addAll(choose(now));
    return changes;
  }

  /** A word from a node that was passed over: it is there. */
  List<Change> heard(NodeId id, long now) {
    if (absences.isEmpty()) return List.of();
    Absence absence = absences.get(id);
    if (absence == null || (!absence.endsByWord && now < absence.until)) return List.of();
    absences.remove(id);
    broughtBack.put(id, now);
    return choose(now);
  }

  /** A link that the other end wants; none when there is no room, or it cannot be reached. */
  List<Change> accept(NodeId id, long now) {
    Link link = links.get(id);
    List<Change> changes = new ArrayList<>();
    if (link == null) {
      if (id.equals(self) || absences.containsKey(id)) return changes;
      if (links.size() >= config.maxLinks()) changes.addAll(evictGuest(now, false));
      if (links.size() >= config.maxLinks()) return changes;
      link = add(id, false, true, now);
      changes.add(new Change(link, null));
    }
    link.wantedUntil = now + WISH_MILLIS;
    return changes;
  }

  /** Ends links that nobody wants any more and lets failed nodes be tried again. */
  List<Change> maintain(long now) {
    List<Change> changes = new ArrayList<>();
    broughtBack.values().removeIf(back -> now - back >= PASSED_OVER_MILLIS);
    if (absences.values().removeIf(absence -> absence.until <= now)) changes.addAll(choose(now));
    for (Link link : List.copyOf(links.values())) {
      if (!link.chosen && link.wantedUntil <= now) changes.addAll(remove(link.id, Reason.REPLACED));
    }
    return changes;
  }

  private int degree() {
    return Math.min(even(config.eagerFanout()) + even(config.lazyFanout()), config.maxLinks());
  }

  /** Everyone's links, if nobody had failed. */
  Chart chart() {
    return roster.chart(degree(), config.useHashRing());
  }

  private List<Change> choose(long now) {
    int degree = degree();
    List<NodeId> wanted = roster.neighbours(self, degree, config.useHashRing(), absences.keySet());
    protectedIds =
        config.protectRingNeighbors()
            ? roster.protectedNeighbours(self, config.maxProtectedNeighbors())
            : Set.of();
    List<Change> changes = new ArrayList<>();
    for (Link link : links.values()) {
      if (link.chosen && !wanted.contains(link.id)) {
        link.chosen = false;
        // The other end may see this later than we do.
        link.wantedUntil = Math.max(link.wantedUntil, now + WISH_MILLIS / 10);
      }
    }
    int place = 0;
    for (NodeId id : wanted) {
      // A full mesh has no rings to tell eager links from lazy ones.
      boolean eager = place++ < even(config.eagerFanout()) || roster.size() - 1 <= degree;
      Link link = links.get(id);
      if (link == null) {
        if (links.size() >= config.maxLinks()) changes.addAll(evictGuest(now, true));
        if (links.size() >= config.maxLinks()) continue;
        link = add(id, true, eager, now);
        changes.add(new Change(link, null));
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

  private List<Change> evictGuest(long now, boolean evenWanted) {
    Optional<Link> guest =
        links.values().stream()
            .filter(link -> !link.chosen && !protectedIds.contains(link.id))
            .filter(link -> evenWanted || link.wantedUntil <= now)
            .min(Comparator.comparingLong(link -> link.wantedUntil));
    return guest.isPresent() ? remove(guest.get().id, Reason.REPLACED) : List.of();
  }

  private Link add(NodeId id, boolean chosen, boolean eager, long now) {
    int slot = Long.numberOfTrailingZeros(~usedSlots);
    usedSlots |= 1L << slot;
    Link link =
        new Link(
            id,
            roster.zone(id),
            slot,
            new PeerScore(config.scoring(), now),
            new RateLimit(config.graftRateLimitPerSecond(), config.graftRateLimitBurst(), now),
            AntiEntropy.comparisons(config, now),
            AntiEntropy.gifts(config, now),
            now);
    link.chosen = chosen;
    link.startsEager = eager;
    links.put(id, link);
    return link;
  }

  List<Change> remove(NodeId id, Reason reason) {
    Link link = links.remove(id);
    if (link == null) return List.of();
    usedSlots &= ~(1L << link.slot);
    return List.of(new Change(link, reason));
  }
}
