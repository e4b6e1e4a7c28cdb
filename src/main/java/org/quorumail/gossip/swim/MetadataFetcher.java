package org.quorumail.gossip.swim;

import java.util.HashMap;
import java.util.Map;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.MetadataRequest;
import org.quorumail.gossip.swim.SwimMessage.MetadataResponse;

/**
 * Fetching metadata too long for gossip: first from whoever brought the news, which spreads the
 * load as the news spreads, then from the member itself.
 */
final class MetadataFetcher {
  private static final int MAX_PENDING = 1_024;
  private static final int MAX_ATTEMPTS = 5;
  private static final int FIRST_WAIT_MILLIS = 1_000;

  private final SwimContext context;
  private final MemberTransitions transitions;
  private final Map<NodeId, Long> pendingDigests = new HashMap<>();

  MetadataFetcher(SwimContext node, MemberTransitions views) {
    this.context = node;
    this.transitions = views;
  }

  void fetch(SwimMember member, NodeAddress informant) {
    if (pendingDigests.size() >= MAX_PENDING && !pendingDigests.containsKey(member.id())) return;
    pendingDigests.put(member.id(), member.metadata().digest());
    requestFrom(member, informant, 1);
  }

  private void requestFrom(SwimMember member, NodeAddress whom, int attempt) {
    long digest = member.metadata().digest();
    context.sendOverStream(whom, new MetadataRequest(member.id(), digest));
    long wait = (long) FIRST_WAIT_MILLIS << attempt;
    context.timers.set(
        context.now + wait,
        () -> {
          Long still = pendingDigests.get(member.id());
          if (still == null || still != digest) return;
          if (attempt < MAX_ATTEMPTS) requestFrom(member, member.address(), attempt + 1);
          else pendingDigests.remove(member.id());
        });
  }

  void onRequest(MetadataRequest request, NodeAddress from) {
    SwimMember subject =
        request.subject().equals(context.self.id())
            ? context.self
            : context.table.find(request.subject());
    if (subject == null) return;
    NodeMetadata meta = subject.metadata();
    if (!meta.isPresent() || meta.digest() != request.digest()) return;
    context.sendOverStream(from, new MetadataResponse(subject.id(), meta));
  }

  void onResponse(MetadataResponse reply) {
    Long digest = pendingDigests.get(reply.subject());
    if (digest == null || digest != reply.metadata().digest()) return;
    pendingDigests.remove(reply.subject());
    transitions.completeMetadata(reply.subject(), reply.metadata());
  }
}
