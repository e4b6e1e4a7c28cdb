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

  @Test
  void anAddressIsThatOfWhoLivesThereNotOfWhoDiedThere() {
    MemberBook book = new MemberBook();
    Node old = node("old", 1);
    Node heir = node("heir", 1);
    book.put(old, MemberState.ALIVE);
    book.put(heir, MemberState.ALIVE);
    book.put(old, MemberState.DEAD);
    assertThat(book.peer(heir.address()).name()).isEqualTo("heir");
    book.put(heir, MemberState.LEFT);
    assertThat(book.peer(heir.address()).name()).as("whoever answers").isEmpty();
  }

  private static void put(MemberBook book, int i, MemberState state) {
    book.put(node("n" + i, i), state);
  }

  private static Node node(String id, int port) {
    return new Node(new NodeId(id), Datagrams.address(at(port)), 1, Meta.of(new byte[0]));
  }

  private static InetSocketAddress at(int port) {
    return new InetSocketAddress("127.0.0.1", port);
  }
}
