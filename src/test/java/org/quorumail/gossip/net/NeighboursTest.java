package org.quorumail.gossip.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
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

  private final Wires wires = new Wires();
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

  /** A transport that notes what it is asked for. */
  private static final class Wires implements Transport {
    private final List<Peer> kept = new ArrayList<>();
    private final List<Peer> released = new ArrayList<>();
    private int datagrams;
    private int streams;

    @Override
    public int port() {
      return 1;
    }

    @Override
    public int datagramCapacity() {
      return 1_300;
    }

    @Override
    public void send(Peer to, List<byte[]> messages) {
      datagrams++;
    }

    @Override
    public void sendReliably(Peer to, byte[] message) {
      streams++;
    }

    @Override
    public void keep(Peer neighbour, NeighbourQueue queue) {
      kept.add(neighbour);
    }

    @Override
    public void release(Peer neighbour) {
      released.add(neighbour);
    }

    @Override
    public int datagramBudget() {
      return 10_000;
    }

    @Override
    public void use(KeyRing ring) {}

    @Override
    public void close() {}
  }

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
