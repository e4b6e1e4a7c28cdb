package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
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
 * Push/pull: the comparison of views with one other node over a stream. A node compares with a seed
 * at the start, then with a random member now and then, and often while that finds many
 * differences. Digests go first, so equal views cost some hundred bytes in a cluster of any size.
 */
final class PushPull {
  /** Members per bucket, so that a single difference costs about this many rows. */
  private static final int MEMBERS_PER_BUCKET = 64;

  private static final int MAX_UNVERIFIED_DEATHS = 256;

  /** Time enough for the last node to miss an update and to find that out. */
  private static final int BUSY_MILLIS = 5_000;

  private static final int VERIFICATION_BATCH = 4;
  private static final int VERIFICATION_INTERVAL_MILLIS = 100;

  private final SwimContext context;
  private final MemberTransitions transitions;
  private final Prober prober;

  /** Dead rows that contradict this view; each member is probed before it is declared dead. */
  private final Map<NodeId, Dead> unverifiedDeaths = new LinkedHashMap<>();

  private boolean isVerifying;
  private long deadline;
  private long busyUntil = Long.MIN_VALUE;

  PushPull(SwimContext context, MemberTransitions transitions, Prober prober) {
    this.context = context;
    this.transitions = transitions;
    this.prober = prober;
    int interval = context.config.pushPullInterval();
    this.deadline = context.now + interval / 2 + context.random.nextInt(interval);
  }

  long deadline() {
    return deadline;
  }

  void postpone(long millis) {
    deadline += millis;
  }

  /** Much has changed: for some seconds comparisons are frequent. */
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
    SwimMember partner = context.table.randomLive(context.random, member -> true);
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
    // this node's rows before the merge, without those that the other node knows already
    List<MemberRow> own = response.last() ? rows(response.buckets(), differing) : List.of();
    Map<NodeId, MemberRow> theirs = new HashMap<>();
    for (MemberRow row : response.members()) theirs.put(row.member().id(), row);
    merge(response.members(), from);
    if (!response.last() || own.isEmpty()) return;
    own.removeIf(row -> isEqual(row, theirs.get(row.member().id())));
    for (List<MemberRow> page : pages(own)) {
      if (!page.isEmpty()) {
        context.sendOverStream(from, new PushPullRows(context.self.id(), page));
      }
    }
  }

  private static boolean isEqual(MemberRow own, @Nullable MemberRow theirs) {
    return theirs != null
        && theirs.state() == own.state()
        && theirs.member().incarnation() == own.member().incarnation();
  }

  void onRows(PushPullRows message, NodeAddress from) {
    merge(message.members(), from);
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
    int changes = 0;
    for (MemberRow row : rows) if (merge(row, from)) changes++;
    if (changes > Math.max(2, context.clusterSize() / 20)) hasten();
  }

  /** Returns whether the row differs from this node's view. */
  private boolean merge(MemberRow row, NodeAddress from) {
    SwimMember member = row.member();
    boolean isSelf = context.isSelf(member.id());
    SwimMember known = context.table.find(member.id());
    MemberState state = context.table.state(member.id());
    if (!isSelf && known != null && state != null) {
      if (!row.state().supersedes(member.incarnation(), state, known.incarnation())) return false;
    }
    switch (row.state()) {
      case ALIVE -> transitions.onAlive(member, from);
      case SUSPECT -> {
        transitions.onAlive(member, from);
        transitions.onSuspect(new Suspect(member.id(), member.incarnation(), context.self.id()));
      }
      // the row may be as old as a partition that ended just now, so the member is probed first
      case DEAD -> {
        Dead update = new Dead(member.id(), member.incarnation(), context.self.id());
        if (isSelf) transitions.onDead(update);
        else if (known != null) verifyDeath(update);
      }
      case LEFT -> transitions.onLeft(new Left(member.id(), member.incarnation()));
    }
    return !isSelf && (known != null || row.state().isMember());
  }

  private void verifyDeath(Dead unverified) {
    if (unverifiedDeaths.size() >= MAX_UNVERIFIED_DEATHS) return;
    unverifiedDeaths.put(unverified.subject(), unverified);
    if (isVerifying) return;
    isVerifying = true;
    context.timers.set(context.now, this::probeUnverified);
  }

  /** Probes a few of them; each receives the accusation, so that it can refute. */
  private void probeUnverified() {
    List<Dead> batch = unverifiedDeaths.values().stream().limit(VERIFICATION_BATCH).toList();
    for (Dead unverified : batch) {
      unverifiedDeaths.remove(unverified.subject());
      SwimMember known = context.table.find(unverified.subject());
      MemberState state = context.table.state(unverified.subject());
      if (known == null || state == null || !state.isMember()) continue;
      if (known.incarnation() <= unverified.incarnation()) prober.probe(known, unverified);
    }
    isVerifying = !unverifiedDeaths.isEmpty();
    if (isVerifying) {
      context.timers.set(context.now + VERIFICATION_INTERVAL_MILLIS, this::probeUnverified);
    }
  }
}
