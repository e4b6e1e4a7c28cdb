package org.quorumail.gossip.swim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.SwimMessage.Alive;
import org.quorumail.gossip.swim.SwimMessage.Left;
import org.quorumail.gossip.swim.SwimMessage.Suspect;
import org.quorumail.gossip.swim.SwimMessage.Update;

class UpdateQueueTest {
  private final UpdateQueue queue = new UpdateQueue();

  @Test
  void whatWasSentLeastGoesFirstAndOfThoseTheNewest() {
    queue.offer(left(1));
    queue.offer(left(2));
    assertThat(fill(8, 9)).containsExactly(left(2));
    queue.offer(left(3));
    assertThat(fill(8, 9)).containsExactly(left(3));
    assertThat(fill(8, 9)).containsExactly(left(1));
  }

  @Test
  void anUpdateIsSentUpToItsRetransmitLimit() {
    queue.offer(left(1));
    for (int i = 0; i < 4; i++) assertThat(fill(100, 4)).hasSize(1);
    assertThat(fill(100, 4)).isEmpty();
    assertThat(queue.isEmpty()).isTrue();
  }

  @Test
  void theRetransmitLimitGrowsWithTheLogarithm() {
    SwimConfig lan = SwimConfig.lan();
    assertThat(lan.retransmitLimit(5)).isEqualTo(4);
    assertThat(lan.retransmitLimit(99)).isEqualTo(8);
    assertThat(lan.retransmitLimit(1_000)).isEqualTo(16);
    assertThat(lan.retransmitLimit(10_000)).isEqualTo(20);
  }

  @Test
  void aNewerUpdateAboutAMemberReplacesTheOlder() {
    queue.offer(new Suspect(id(1), 0, id(2)));
    fill(100, 9);
    queue.offer(new Alive(new SwimMember(id(1), NodeAddress.ipv4(1, 1), 1, NodeMetadata.EMPTY)));
    assertThat(queue.size()).isEqualTo(1);
    assertThat(fill(100, 9)).hasOnlyElementsOfType(Alive.class).hasSize(1);
  }

  @Test
  void anUpdateThatDoesNotFitKeepsItsTurn() {
    queue.offer(left(1));
    Alive large =
        new Alive(
            new SwimMember(
                id(2),
                NodeAddress.ipv4(1, 1),
                0,
                NodeMetadata.of(new byte[NodeMetadata.MAX_IN_GOSSIP])));
    queue.offer(large);
    assertThat(fill(100, 9)).containsExactly(left(1));
    assertThat(fill(1_300, 9)).containsExactly(large, left(1));
  }

  private List<Update> fill(int room, int limit) {
    List<Update> packet = new ArrayList<>();
    queue.fill(packet, room, limit);
    return packet;
  }

  private static NodeId id(int i) {
    return new NodeId("m-" + i);
  }

  private static Left left(int i) {
    return new Left(id(i), 0);
  }
}
