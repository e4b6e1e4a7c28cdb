package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;

class LinkTest {
  private static final NodeId ORIGIN = new NodeId("origin");
  private static final int BATCH = Link.MAX_OUTSTANDING * 2 / 3;

  private final RateLimiter unlimited = new RateLimiter(1e9, 1e9, 0);
  private final Link link =
      new Link(
          new NodeId("peer"),
          "",
          0,
          new PeerScore(ScoringConfig.standard(), 0),
          unlimited,
          unlimited,
          unlimited,
          0);

  @Test
  void unacknowledgedAnnouncementsKeepTheirBoundAndTheOldestAreDropped() {
    announce(1, BATCH);
    announce(BATCH + 1, 2 * BATCH);

    assertThat(link.outstanding()).isEqualTo(Link.MAX_OUTSTANDING);
    assertThat(link.violation()).isNull();
    assertThat(link.markReceived(id(1))).isEqualTo(Link.NEVER_SENT);
    assertThat(link.markReceived(id(2 * BATCH))).isNotEqualTo(Link.NEVER_SENT);
  }

  @Test
  void pushedBytesAreThoseOfUnacknowledgedPayloads() {
    link.markPushed(TreeId.OVERLAY_PATHS, id(1), 0, 700, 0, 500);
    link.markPushed(TreeId.OVERLAY_PATHS, id(2), 0, 200, 0, 500);
    link.markPushed(TreeId.OVERLAY_PATHS, id(2), 0, 200, 10, 500);

    assertThat(link.hasRoomFor(100, 1_000)).isTrue();
    assertThat(link.hasRoomFor(101, 1_000)).isFalse();
    assertThat(link.takeAnnouncements(10, 600, 500, 60_000, false)).hasSize(2);
    assertThat(link.hasRoomFor(101, 1_000)).as("an announcement keeps the bytes").isFalse();
    link.markReceived(id(1));
    assertThat(link.hasRoomFor(800, 1_000)).isTrue();
    assertThat(link.violation()).isNull();
  }

  private void announce(int first, int last) {
    for (int i = first; i <= last; i++) link.announce(TreeId.OVERLAY_PATHS, id(i), 0, 0, 0);
    assertThat(link.takeAnnouncements(Integer.MAX_VALUE, 0, 500, 60_000, true))
        .hasSize(last - first + 1);
  }

  private static BroadcastId id(long sequence) {
    return new BroadcastId(ORIGIN, 1, sequence);
  }
}
