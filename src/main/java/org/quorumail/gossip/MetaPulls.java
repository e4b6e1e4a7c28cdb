package org.quorumail.gossip;

import java.util.HashMap;
import java.util.Map;
import org.quorumail.gossip.SwimMessage.MetaReply;
import org.quorumail.gossip.SwimMessage.MetaRequest;

/**
 * Fetching metadata too long for gossip: first from whoever brought the news, which spreads the
 * load as the news spreads, then from the member itself.
 */
final class MetaPulls {
  private static final int MAX_PULLS = 1_024;
  private static final int MAX_TRIES = 5;
  private static final int FIRST_WAIT_MILLIS = 1_000;

  private final SwimNode node;
  private final Views views;
  private final Map<NodeId, Long> wanted = new HashMap<>();

  MetaPulls(SwimNode node, Views views) {
    this.node = node;
    this.views = views;
  }

  void want(Node member, Address informant) {
    if (wanted.size() >= MAX_PULLS && !wanted.containsKey(member.id())) return;
    wanted.put(member.id(), member.meta().digest());
    ask(member, informant, 1);
  }

  private void ask(Node member, Address whom, int attempt) {
    long digest = member.meta().digest();
    node.sendReliably(whom, new MetaRequest(member.id(), digest));
    long wait = (long) FIRST_WAIT_MILLIS << attempt;
    node.timers.set(
        node.now + wait,
        () -> {
          Long still = wanted.get(member.id());
          if (still == null || still != digest) return;
          if (attempt < MAX_TRIES) ask(member, member.address(), attempt + 1);
          else wanted.remove(member.id());
        });
  }

  void request(MetaRequest request, Address from) {
    Node subject =
        request.subject().equals(node.self.id()) ? node.self : node.table.find(request.subject());
    if (subject == null) return;
    Meta meta = subject.meta();
    if (!meta.isPresent() || meta.digest() != request.digest()) return;
    node.sendReliably(from, new MetaReply(subject.id(), meta));
  }

  void reply(MetaReply reply) {
    Long digest = wanted.get(reply.subject());
    if (digest == null || digest != reply.meta().digest()) return;
    wanted.remove(reply.subject());
    views.completeMeta(reply.subject(), reply.meta());
  }
}
