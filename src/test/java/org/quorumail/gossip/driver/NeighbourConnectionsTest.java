package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.plumtree.BroadcastId;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.plumtree.PlumtreeCounters;
import org.quorumail.gossip.plumtree.PlumtreeMessage.Gossip;
import org.quorumail.gossip.plumtree.PlumtreeMetric;
import org.quorumail.gossip.plumtree.TreeId;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.PeerAddress;

class NeighbourConnectionsTest {
  private static final NodeId B = new NodeId("b");
  private static final NodeId STRANGER = new NodeId("c");

  private final RecordingTransport wires = new RecordingTransport();
  private final DatagramBatcher outbox = new DatagramBatcher(wires);
  private final MemberDirectory book = new MemberDirectory();
  private final PlumtreeCounters tally = new PlumtreeCounters();
  private final NeighbourConnections neighbours =
      new NeighbourConnections(
          wires,
          outbox,
          book,
          new BroadcastFormat(new NodeId("a"), 64 << 10),
          PlumtreeConfig.lan(),
          tally);

  @BeforeEach
  void areMembers() {
    for (NodeId id : List.of(B, STRANGER)) {
      SwimMember node =
          new SwimMember(
              id,
              NodeAddress.ipv4(0x7f000001, 1 + (id.hashCode() & 0xfff)),
              1,
              NodeMetadata.of(new byte[0]));
      book.put(node, MemberState.ALIVE);
    }
    neighbours.connect(B);
  }

  @Test
  void aConnectionIsKeptAsLongAsTheLinkIs() {
    assertThat(wires.kept).extracting(PeerAddress::nodeId).containsExactly("b");
    neighbours.disconnect(B);
    assertThat(wires.released).isEqualTo(wires.kept);
  }

  @Test
  void aNeighbourThatMovedIsCalledAtItsNewAddress() {
    neighbours.reconnectIfMoved(B);
    assertThat(wires.kept).as("it did not move").hasSize(1);
    NodeAddress there = NodeAddress.ipv4(0x7f000002, 7946);
    book.put(new SwimMember(B, there, 2, NodeMetadata.of(new byte[0])), MemberState.ALIVE);
    neighbours.reconnectIfMoved(B);
    assertThat(wires.released).containsExactly(wires.kept.getFirst());
    assertThat(wires.kept.getLast().address()).isEqualTo(there);
    neighbours.reconnectIfMoved(STRANGER);
    assertThat(wires.kept).as("a stranger is no neighbour").hasSize(2);
  }

  @Test
  void messagesBeyondTheDatagramBudgetWaitForTheStream() {
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
  void aMessageLongerThanADatagramWaitsForTheStream() {
    neighbours.send(B, payload(1_300), 0);
    assertThat(tally.count(PlumtreeMetric.PRIORITY_ENQUEUED)).isEqualTo(1);
  }

  @Test
  void aNonNeighbourHasNoQueue() {
    neighbours.send(STRANGER, payload(100), 0);
    neighbours.send(STRANGER, payload(5_000), 0);
    outbox.flush();
    assertThat(wires.datagrams).isEqualTo(1);
    assertThat(wires.streams).isEqualTo(1);
    assertThat(tally.count(PlumtreeMetric.PRIORITY_ENQUEUED)).isZero();
  }

  private static Gossip payload(int size) {
    return new Gossip(
        TreeId.OVERLAY_PATHS, new BroadcastId(new NodeId("a"), 1, size), 0, new byte[size]);
  }
}
