package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.SELF;
import static org.quorumail.gossip.plumtree.PlumtreeFixture.only;

import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.PlumtreeEffect.NeighbourAdded;
import org.quorumail.gossip.plumtree.PlumtreeEffect.Send;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Prune;

/** The forwarding of messages whose origin broadcasts too rarely to have a tree. */
class OverlayPathForwardingTest {
  private static final NodeId[] MEMBERS = members();
  private static final NodeId RARE = MEMBERS[3];

  private final PlumtreeFixture one = new PlumtreeFixture(PlumtreeConfig.standard(), MEMBERS);
  private final OverlayPaths paths = PlumtreeFixture.hashRing(MEMBERS).overlayPaths(6, false);

  @Test
  void aMessageIsForwardedToTheNeighboursOnItsPaths() {
    List<PlumtreeEffect> effects = one.from(neighbour(this::pushesToUs), message());
    assertThat(receivers(effects))
        .isEqualTo(
            one.core.neighbours().stream()
                .filter(n -> paths.pushes(RARE, SELF, n))
                .collect(Collectors.toSet()));
  }

  @Test
  void aDuplicateChangesNothing() {
    one.from(neighbour(this::pushesToUs), message());
    List<PlumtreeEffect> effects = one.from(neighbour(n -> !pushesToUs(n)), message());
    assertThat(only(Send.class, effects)).noneMatch(send -> send.message() instanceof Prune);
    assertThat(receivers(effects)).isEmpty();
    assertThat(one.counters.count(PlumtreeMetric.MESSAGES_DUPLICATE)).isEqualTo(1);
  }

  @Test
  void aMessageOffItsPathIsForwardedAgainstThePath() {
    List<PlumtreeEffect> effects = one.from(neighbour(n -> !pushesToUs(n)), message());
    assertThat(receivers(effects)).contains(neighbour(this::pushesToUs));
  }

  @Test
  void theReplacementOfAFailedNeighbourReceivesThePayload() {
    NodeId failed = neighbour(n -> !pushesToUs(n));
    List<PlumtreeEffect> effects = one.core.sendFailed(failed, one.now);
    NodeId standIn = only(NeighbourAdded.class, effects).getFirst().peer();
    assertThat(paths.hasLink(SELF, standIn)).isFalse();
    assertThat(receivers(one.from(neighbour(this::pushesToUs), message()))).contains(standIn);
  }

  @Test
  void aMessageOfAnUnknownOriginIsForwardedToAll() {
    NodeId from = one.core.neighbours().iterator().next();
    Gossip message =
        new Gossip(TreeId.OVERLAY_PATHS, new BroadcastId(new NodeId("new"), 1, 1), 2, new byte[1]);
    assertThat(receivers(one.from(from, message))).hasSize(one.core.neighbours().size() - 1);
  }

  private boolean pushesToUs(NodeId neighbour) {
    return paths.pushes(RARE, neighbour, SELF);
  }

  private NodeId neighbour(Predicate<NodeId> kind) {
    return one.core.neighbours().stream().filter(kind).findFirst().orElseThrow();
  }

  private static Gossip message() {
    return new Gossip(TreeId.OVERLAY_PATHS, new BroadcastId(RARE, 1, 1), 2, new byte[1]);
  }

  private static Set<NodeId> receivers(List<PlumtreeEffect> effects) {
    return only(Send.class, effects).stream()
        .filter(send -> send.message() instanceof Gossip)
        .map(Send::to)
        .collect(Collectors.toSet());
  }

  private static NodeId[] members() {
    NodeId[] ids = new NodeId[30];
    for (int i = 0; i < ids.length; i++) ids[i] = new NodeId("n" + i);
    return ids;
  }
}
