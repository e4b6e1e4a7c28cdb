package org.quorumail.gossip.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.MemberState;
import org.quorumail.gossip.Meta;
import org.quorumail.gossip.Node;
import org.quorumail.gossip.NodeId;

class MemberBookTest {
  @Test
  void whoeverIsSuspectOrDeadIsStillLookedForAfterARestartAndWhoLeftIsNot() {
    MemberBook book = new MemberBook();
    put(book, 1, MemberState.DEAD);
    put(book, 2, MemberState.SUSPECT);
    put(book, 3, MemberState.LEFT);
    put(book, 4, MemberState.ALIVE);
    assertThat(book.toFindAgain()).hasSize(3).last().isEqualTo(at(1));
    assertThat(book.toFindAgain()).contains(at(2), at(4));
  }

  private static void put(MemberBook book, int i, MemberState state) {
    NodeId id = new NodeId("n" + i);
    book.put(new Node(id, Datagrams.address(at(i)), 1, Meta.of(new byte[0])), state);
  }

  private static InetSocketAddress at(int port) {
    return new InetSocketAddress("127.0.0.1", port);
  }
}
