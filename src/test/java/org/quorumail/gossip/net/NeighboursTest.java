package org.quorumail.gossip.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.Address;
import org.quorumail.gossip.MemberState;
import org.quorumail.gossip.MessageId;
import org.quorumail.gossip.Meta;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.PlumtreeConfig;
import org.quorumail.gossip.PlumtreeMessage.Gossip;
import org.quorumail.gossip.PlumtreeMetric;
import org.quorumail.gossip.PlumtreeTally;
import org.quorumail.gossip.TreeId;

class NeighboursTest {
  private static final NodeId B = new NodeId("b");
  private static final NodeId STRANGER = new NodeId("c");

  private final NotedTransport wires = new NotedTransport();
  private final Outbox outbox = new Outbox(wires);
  private final MemberBook book = new MemberBook();
  private final PlumtreeTally tally = new PlumtreeTally();
  private final Neighbours neighbours =
      new Neighbours(
          wires,
          outbox,
          book,
          new BroadcastFormat(new NodeId("a"), 64 << 10),
          PlumtreeConfig.lan(),
          tally);

  @BeforeEach
  void areMembers() {
    for (NodeId id : List.of(B, STRANGER)) {
      Node node =
          new Node(
              id, Address.ipv4(0x7f000001, 1 + (id.hashCode() & 0xfff)), 1, Meta.of(new byte[0]));
      book.put(node, MemberState.ALIVE);
    }
    neighbours.added(B);
  }

  @Test
  void aConnectionIsKeptAsLongAsTheLinkIs() {
    assertThat(wires.kept).extracting(Transport.Peer::name).containsExactly("b");
    neighbours.removed(B);
    assertThat(wires.released).isEqualTo(wires.kept);
  }

  @Test
  void aNeighbourThatMovedIsCalledAtItsNewAddress() {
    neighbours.moved(B);
    assertThat(wires.kept).as("it did not move").hasSize(1);
    Address there = Address.ipv4(0x7f000002, 7946);
    book.put(new Node(B, there, 2, Meta.of(new byte[0])), MemberState.ALIVE);
    neighbours.moved(B);
    assertThat(wires.released).containsExactly(wires.kept.getFirst());
    assertThat(wires.kept.getLast().address()).isEqualTo(there);
    neighbours.moved(STRANGER);
    assertThat(wires.kept).as("a stranger is no neighbour").hasSize(2);
  }

  @Test
  void littleGoesAsDatagramsAndMoreThanTheBudgetWaitsForTheStream() {
    for (int i = 0; i < 30; i++) neighbours.send(B, payload(500), 0);
    outbox.flush();
    long queued = tally.count(PlumtreeMetric.PRIORITY_ENQUEUED);
    assertThat(queued).isBetween(10L, 20L);
    assertThat(wires.datagrams).isGreaterThanOrEqualTo(5);
    neighbours.send(B, payload(500), 100); // the next window
    assertThat(tally.count(PlumtreeMetric.PRIORITY_ENQUEUED)).isEqualTo(queued);
    assertThat(wires.streams).isZero();
  }

  @Test
  void whatIsLongerThanADatagramWaitsForTheStream() {
    neighbours.send(B, payload(1_300), 0);
    assertThat(tally.count(PlumtreeMetric.PRIORITY_ENQUEUED)).isEqualTo(1);
  }

  @Test
  void whoeverIsNoNeighbourHasNoQueue() {
    neighbours.send(STRANGER, payload(100), 0);
    neighbours.send(STRANGER, payload(5_000), 0);
    outbox.flush();
    assertThat(wires.datagrams).isEqualTo(1);
    assertThat(wires.streams).isEqualTo(1);
    assertThat(tally.count(PlumtreeMetric.PRIORITY_ENQUEUED)).isZero();
  }

  private static Gossip payload(int size) {
    return new Gossip(TreeId.CHARTED, new MessageId(new NodeId("a"), 1, size), 0, new byte[size]);
  }
}
