package org.quorumail.gossip;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.quorumail.gossip.SwimMessage.Dead;
import org.quorumail.gossip.SwimMessage.Left;
import org.quorumail.gossip.SwimMessage.MemberRecord;
import org.quorumail.gossip.SwimMessage.PushPullRequest;
import org.quorumail.gossip.SwimMessage.PushPullResponse;
import org.quorumail.gossip.SwimMessage.PushPullRows;
import org.quorumail.gossip.SwimMessage.Suspect;

/**
 * Comparing views with one other node over a stream: at the start with a seed, then with a random
 * member now and then, and often while that finds much. Digests go first, so equal views cost some
 * hundred bytes however large the cluster is.
 */
final class ViewExchange {
  /** One bucket per so many members: a single difference costs about as many rows. */
  private static final int MEMBERS_PER_BUCKET = 64;

  /** Dead rows that contradict this view are settled by asking the member; so many at a time. */
  private static final int MAX_DOUBTS = 256;

  /** Long enough for the last straggler's news to have been missed and found. */
  private static final int BUSY_MILLIS = 5_000;

  private static final int DOUBTS_AT_ONCE = 4;
  private static final int DOUBT_INTERVAL_MILLIS = 100;

  private final SwimNode node;
  private final Views views;
  private final Probing probing;
  private final Map<NodeId, Dead> doubts = new LinkedHashMap<>();
  private boolean isSettling;
  private long next;
  private long busyUntil = Long.MIN_VALUE;
  private int changes;

  ViewExchange(SwimNode node, Views views, Probing probing) {
    this.node = node;
    this.views = views;
    this.probing = probing;
    int interval = node.config.pushPullInterval();
    this.next = node.now + interval / 2 + node.random.nextInt(interval);
  }

  long next() {
    return next;
  }

  void postpone(long millis) {
    next += millis;
  }

  /** Much has changed; for some seconds comparisons do not wait their turn. */
  void hasten() {
    busyUntil = node.now + BUSY_MILLIS;
    int busy = node.config.pushPullBusyInterval();
    next = Math.min(next, node.now + busy / 2 + node.random.nextInt(busy));
  }

  void tick() {
    if (node.now < next) return;
    boolean busy = node.now < busyUntil;
    int interval = busy ? node.config.pushPullBusyInterval() : node.config.pushPullInterval();
    next = node.now + interval * 3L / 4 + node.random.nextInt(interval / 2);
    Node partner = node.table.randomLive(node.random, n -> true);
    if (partner != null) ask(partner.address());
  }

  void ask(Address partner) {
    int buckets =
        Math.clamp(
            Integer.highestOneBit(node.clusterSize() / MEMBERS_PER_BUCKET + 1),
            1,
            PushPullRequest.MAX_BUCKETS);
    List<Long> digests = new ArrayList<>(buckets);
    for (long digest : digests(buckets)) digests.add(digest);
    node.sendReliably(partner, new PushPullRequest(node.nextSequence(), node.self, digests));
  }

  private long[] digests(int buckets) {
    long[] digests = node.table.digests(buckets);
    digests[MemberTable.bucket(node.self.id(), buckets)] ^= MemberTable.digest(node.self);
    return digests;
  }

  void request(PushPullRequest request, Address from) {
    views.alive(request.source(), request.source().address());
    int buckets = request.digests().size();
    long[] own = digests(buckets);
    Set<Integer> differing = new LinkedHashSet<>();
    for (int i = 0; i < buckets; i++) if (own[i] != request.digests().get(i)) differing.add(i);
    List<Integer> numbers = List.copyOf(differing);
    List<List<MemberRecord>> pages = pages(rows(buckets, differing));
    for (int i = 0; i < pages.size(); i++) {
      boolean last = i == pages.size() - 1;
      node.sendReliably(
          from,
          new PushPullResponse(
              request.sequence(), node.self, buckets, numbers, last, pages.get(i)));
    }
  }

  void response(PushPullResponse response, Address from) {
    views.alive(response.source(), response.source().address());
    Set<Integer> differing = new HashSet<>(response.differing());
    // this node's rows as they were, less what the other side has just shown to know
    List<MemberRecord> own = response.last() ? rows(response.buckets(), differing) : List.of();
    Map<NodeId, MemberRecord> theirs = new HashMap<>();
    for (MemberRecord row : response.members()) theirs.put(row.node().id(), row);
    merge(response.members(), from);
    if (!response.last() || own.isEmpty()) return;
    own.removeIf(row -> isSaidBy(theirs, row));
    for (List<MemberRecord> page : pages(own)) {
      if (!page.isEmpty()) node.sendReliably(from, new PushPullRows(node.self.id(), page));
    }
  }

  private static boolean isSaidBy(Map<NodeId, MemberRecord> theirs, MemberRecord own) {
    MemberRecord said = theirs.get(own.node().id());
    return said != null
        && said.state() == own.state()
        && said.node().incarnation() == own.node().incarnation();
  }

  void rows(PushPullRows rows, Address from) {
    merge(rows.members(), from);
  }

  private List<MemberRecord> rows(int buckets, Set<Integer> chosen) {
    List<MemberRecord> rows = new ArrayList<>();
    if (chosen.isEmpty()) return rows;
    if (chosen.contains(MemberTable.bucket(node.self.id(), buckets))) {
      rows.add(new MemberRecord(node.self, MemberState.ALIVE));
    }
    boolean all = chosen.size() == buckets;
    node.table.forEach(
        (member, state) -> {
          if (all || chosen.contains(MemberTable.bucket(member.id(), buckets))) {
            rows.add(new MemberRecord(member, state));
          }
        });
    return rows;
  }

  private static List<List<MemberRecord>> pages(List<MemberRecord> rows) {
    List<List<MemberRecord>> pages = new ArrayList<>();
    int from = 0;
    do {
      int to = Math.min(rows.size(), from + PushPullRows.MAX_ROWS);
      pages.add(rows.subList(from, to));
      from = to;
    } while (from < rows.size());
    return pages;
  }

  private void merge(List<MemberRecord> rows, Address from) {
    changes = 0;
    for (MemberRecord row : rows) merge(row, from);
    if (changes > Math.max(2, node.clusterSize() / 20)) hasten();
  }

  private void merge(MemberRecord row, Address from) {
    Node said = row.node();
    boolean isSelf = said.id().equals(node.self.id());
    Node known = node.table.find(said.id());
    MemberState state = node.table.state(said.id());
    if (!isSelf && known != null && state != null) {
      if (!row.state().supersedes(said.incarnation(), state, known.incarnation())) return;
      changes++;
    } else if (!isSelf && row.state().isMember()) changes++;
    switch (row.state()) {
      case ALIVE -> views.alive(said, from);
      case SUSPECT -> {
        views.alive(said, from);
        views.suspect(new Suspect(said.id(), said.incarnation(), node.self.id()));
      }
      // hearsay about a death may be as old as the partition that ended just now: ask the member
      case DEAD -> {
        if (isSelf) views.dead(new Dead(said.id(), said.incarnation(), node.self.id()));
        else if (known != null) doubt(new Dead(said.id(), said.incarnation(), node.self.id()));
      }
      case LEFT -> views.left(new Left(said.id(), said.incarnation()));
    }
  }

  private void doubt(Dead hearsay) {
    if (doubts.size() >= MAX_DOUBTS) return;
    doubts.put(hearsay.subject(), hearsay);
    if (isSettling) return;
    isSettling = true;
    node.timers.set(node.now, this::settle);
  }

  /** Asks a few of them; each hears what is said of it, so that it can refute. */
  private void settle() {
    List<Dead> batch = doubts.values().stream().limit(DOUBTS_AT_ONCE).toList();
    for (Dead hearsay : batch) {
      doubts.remove(hearsay.subject());
      Node known = node.table.find(hearsay.subject());
      MemberState state = node.table.state(hearsay.subject());
      if (known == null || state == null || !state.isMember()) continue;
      if (known.incarnation() <= hearsay.incarnation()) probing.probe(known, hearsay);
    }
    isSettling = !doubts.isEmpty();
    if (isSettling) node.timers.set(node.now + DOUBT_INTERVAL_MILLIS, this::settle);
  }
}
