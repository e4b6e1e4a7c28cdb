package org.quorumail.gossip.swim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.MetadataRequest;
import org.quorumail.gossip.swim.SwimMessage.MetadataResponse;

/**
 * The requests for metadata that is too long for gossip. The first goes to the node that passed the
 * update on, which spreads the load as the update spreads. The others go to the member itself. A
 * comparison of views finds no missing metadata. So after some attempts without an answer, a sweep
 * over the table begins again with all that is missing, until nothing is.
 */
final class MetadataFetcher {
  private static final int MAX_PENDING = 1_024;
  private static final int MAX_ATTEMPTS = 5;
  private static final int FIRST_WAIT_MILLIS = 1_000;

  /** Seldom enough that a member without an answer for anyone costs next to nothing. */
  private static final int SWEEP_MILLIS = 10_000;

  private final SwimContext context;
  private final MemberTransitions transitions;
  private final Map<NodeId, Long> pendingDigests = new HashMap<>();
  private boolean isSweepScheduled;

  MetadataFetcher(SwimContext context, MemberTransitions transitions) {
    this.context = context;
    this.transitions = transitions;
  }

  void fetch(SwimMember member, NodeAddress informant) {
    if (pendingDigests.size() >= MAX_PENDING && !pendingDigests.containsKey(member.id())) {
      scheduleSweep();
      return;
    }
    pendingDigests.put(member.id(), member.metadata().digest());
    requestFrom(informant, member, 1);
  }

  private void requestFrom(NodeAddress holder, SwimMember member, int attempt) {
    long digest = member.metadata().digest();
    context.sendOverStream(holder, new MetadataRequest(member.id(), digest));
    long wait = (long) FIRST_WAIT_MILLIS << attempt;
    context.timers.set(
        context.now + wait,
        () -> {
          Long pending = pendingDigests.get(member.id());
          if (pending == null || pending != digest) return;
          if (attempt < MAX_ATTEMPTS) {
            requestFrom(member.address(), member, attempt + 1);
          } else {
            pendingDigests.remove(member.id());
            scheduleSweep();
          }
        });
  }

  private void scheduleSweep() {
    if (isSweepScheduled) return;
    isSweepScheduled = true;
    context.timers.set(context.now + SWEEP_MILLIS, this::sweep);
  }

  /** Asks each live member for its metadata if they are missing and no request is on its way. */
  private void sweep() {
    isSweepScheduled = false;
    List<SwimMember> missing = new ArrayList<>();
    context.table.forEachLive(
        member -> {
          boolean isMissing = !member.metadata().isPresent();
          if (isMissing && !pendingDigests.containsKey(member.id())) missing.add(member);
        });
    for (SwimMember member : missing) fetch(member, member.address());
  }

  void onRequest(MetadataRequest request, NodeAddress from) {
    SwimMember subject =
        context.isSelf(request.subject()) ? context.self : context.table.find(request.subject());
    if (subject == null) return;
    NodeMetadata metadata = subject.metadata();
    if (!metadata.isPresent() || metadata.digest() != request.digest()) return;
    context.sendOverStream(from, new MetadataResponse(subject.id(), metadata));
  }

  void onResponse(MetadataResponse response) {
    Long digest = pendingDigests.get(response.subject());
    if (digest == null || digest != response.metadata().digest()) return;
    pendingDigests.remove(response.subject());
    transitions.completeMetadata(response.subject(), response.metadata());
  }
}
