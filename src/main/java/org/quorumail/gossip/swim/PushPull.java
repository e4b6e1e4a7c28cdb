package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Dead;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.MemberRow;
import org.quorumail.gossip.swim.SwimMessage.PushPullRequest;
import org.quorumail.gossip.swim.SwimMessage.PushPullResponse;
import org.quorumail.gossip.swim.SwimMessage.PushPullRows;
import org.quorumail.gossip.swim.SwimMessage.Suspect;

/**
 * Comparing views with one other node over a stream: at the start with a seed, then with a random
 * member now and then, and often while that finds much. Digests go first, so equal views cost some
 * hundred bytes however large the cluster is.
 */
final class PushPull {
  /** One bucket per so many members: a single difference costs about as many rows. */
  private static final int MEMBERS_PER_BUCKET = 64;

  /** Dead rows that contradict this view are settled by asking the member; so many at a time. */
  private static final int MAX_UNVERIFIED_DEATHS = 256;

  /** Long enough for the last straggler's news to have been missed and found. */
  private static final int BUSY_MILLIS = 5_000;

  private static final int VERIFICATION_BATCH = 4;
  private static final int VERIFICATION_INTERVAL_MILLIS = 100;

  private final SwimContext context;
  private final MemberTransitions transitions;
  private final Prober prober;
  private final Map<NodeId, Dead> unverifiedDeaths = new LinkedHashMap<>();
  private boolean isVerifying;
  private long deadline;
  private long busyUntil = Long.MIN_VALUE;
  private int changes;

  PushPull(SwimContext node, MemberTransitions views, Prober probing) {
    this.context = node;
    this.transitions = views;
    this.prober = probing;
    int interval = node.config.pushPullInterval();
    this.deadline = node.now + interval / 2 + node.random.nextInt(interval);
  }

  long deadline() {
    return deadline;
  }

  void postpone(long millis) {
    deadline += millis;
  }

  /** Much has changed; for some seconds comparisons do not wait their turn. */
  void hasten() {
    busyUntil = context.now + BUSY_MILLIS;
    int busy = context.config.pushPullBusyInterval();
    deadline = Math.min(deadline, context.now + busy / 2 + context.random.nextInt(busy));
  }

  void tick() {
    if (context.now < deadline) return;
    boolean busy = context.now < busyUntil;
    int interval = busy ? context.config.pushPullBusyInterval() : context.config.pushPullInterval();
    deadline = context.now + interval * 3L / 4 + context.random.nextInt(interval / 2);
    SwimMember partner = context.table.randomLive(context.random, n -> true);
    if (partner != null) requestFrom(partner.address());
  }

  void requestFrom(NodeAddress partner) {
    int buckets =
        Math.clamp(
            Integer.highestOneBit(context.clusterSize() / MEMBERS_PER_BUCKET + 1),
            1,
            PushPullRequest.MAX_BUCKETS);
    List<Long> digests = new ArrayList<>(buckets);
    for (long digest : digests(buckets)) digests.add(digest);
    context.sendOverStream(
        partner, new PushPullRequest(context.nextSequence(), context.self, digests));
  }

  private long[] digests(int buckets) {
    long[] digests = context.table.digests(buckets);
    digests[MemberTable.bucket(context.self.id(), buckets)] ^= MemberTable.digest(context.self);
    return digests;
  }

  void onRequest(PushPullRequest request, NodeAddress from) {
    transitions.onAlive(request.source(), request.source().address());
    int buckets = request.digests().size();
    long[] own = digests(buckets);
    Set<Integer> differing = new LinkedHashSet<>();
    for (int i = 0; i < buckets; i++) if (own[i] != request.digests().get(i)) differing.add(i);
    List<Integer> numbers = List.copyOf(differing);
    List<List<MemberRow>> pages = pages(rows(buckets, differing));
    for (int i = 0; i < pages.size(); i++) {
      boolean last = i == pages.size() - 1;
      context.sendOverStream(
          from,
          new PushPullResponse(
              request.sequence(), context.self, buckets, numbers, last, pages.get(i)));
    }
  }

  void onResponse(PushPullResponse response, NodeAddress from) {
    transitions.onAlive(response.source(), response.source().address());
    Set<Integer> differing = new HashSet<>(response.differing());
    // this node's rows as they were, less what the other side has just shown to know
    List<MemberRow> own = response.last() ? rows(response.buckets(), differing) : List.of();
    Map<NodeId, MemberRow> theirs = new HashMap<>();
    for (MemberRow row : response.members()) theirs.put(row.member().id(), row);
    merge(response.members(), from);
    if (!response.last() || own.isEmpty()) return;
    own.removeIf(row -> matches(theirs, row));
    for (List<MemberRow> page : pages(own)) {
      if (!page.isEmpty()) context.sendOverStream(from, new PushPullRows(context.self.id(), page));
    }
  }

  private static boolean matches(Map<NodeId, MemberRow> theirs, MemberRow own) {
    MemberRow said = theirs.get(own.member().id());
    return said != null
        && said.state() == own.state()
        && said.member().incarnation() == own.member().incarnation();
  }

  void rows(PushPullRows rows, NodeAddress from) {
    merge(rows.members(), from);
  }

  private List<MemberRow> rows(int buckets, Set<Integer> chosen) {
    List<MemberRow> rows = new ArrayList<>();
    if (chosen.isEmpty()) return rows;
    if (chosen.contains(MemberTable.bucket(context.self.id(), buckets))) {
      rows.add(new MemberRow(context.self, MemberState.ALIVE));
    }
    boolean all = chosen.size() == buckets;
    context.table.forEach(
        (member, state) -> {
          if (all || chosen.contains(MemberTable.bucket(member.id(), buckets))) {
            rows.add(new MemberRow(member, state));
          }
        });
    return rows;
  }

  private static List<List<MemberRow>> pages(List<MemberRow> rows) {
    List<List<MemberRow>> pages = new ArrayList<>();
    int from = 0;
    do {
      int to = Math.min(rows.size(), from + PushPullRows.MAX_ROWS);
      pages.add(rows.subList(from, to));
      from = to;
    } while (from < rows.size());
    return pages;
  }

  private void merge(List<MemberRow> rows, NodeAddress from) {
    changes = 0;
    for (MemberRow row : rows) merge(row, from);
    if (changes > Math.max(2, context.clusterSize() / 20)) hasten();
  }

  private void merge(MemberRow row, NodeAddress from) {
    SwimMember said = row.member();
    boolean isSelf = said.id().equals(context.self.id());
    SwimMember known = context.table.find(said.id());
    MemberState state = context.table.state(said.id());
    if (!isSelf && known != null && state != null) {
      if (!row.state().supersedes(said.incarnation(), state, known.incarnation())) return;
      changes++;
    } else if (!isSelf && row.state().isMember()) changes++;
    switch (row.state()) {
      case ALIVE -> transitions.onAlive(said, from);
      case SUSPECT -> {
        transitions.onAlive(said, from);
        transitions.onSuspect(new Suspect(said.id(), said.incarnation(), context.self.id()));
      }
      // hearsay about a death may be as old as the partition that ended just now: ask the member
      case DEAD -> {
        if (isSelf) transitions.onDead(new Dead(said.id(), said.incarnation(), context.self.id()));
        else if (known != null)
          verifyDeath(new Dead(said.id(), said.incarnation(), context.self.id()));
      }
      case LEFT -> transitions.onLeft(new Left(said.id(), said.incarnation()));
    }
  }

  private void verifyDeath(Dead hearsay) {
    if (unverifiedDeaths.size() >= MAX_UNVERIFIED_DEATHS) return;
    unverifiedDeaths.put(hearsay.subject(), hearsay);
    if (isVerifying) return;
    isVerifying = true;
    context.timers.set(context.now, this::probeUnverified);
  }

  /** Asks a few of them; each hears what is said of it, so that it can refute. */
  private void probeUnverified() {
    List<Dead> batch = unverifiedDeaths.values().stream().limit(VERIFICATION_BATCH).toList();
    for (Dead hearsay : batch) {
      unverifiedDeaths.remove(hearsay.subject());
      SwimMember known = context.table.find(hearsay.subject());
      MemberState state = context.table.state(hearsay.subject());
      if (known == null || state == null || !state.isMember()) continue;
      if (known.incarnation() <= hearsay.incarnation()) prober.probe(known, hearsay);
    }
    isVerifying = !unverifiedDeaths.isEmpty();
    if (isVerifying)
      context.timers.set(context.now + VERIFICATION_INTERVAL_MILLIS, this::probeUnverified);
  }
}
