package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeId;
import org.quorumail.gossip.swim.MemberState;
import org.quorumail.gossip.swim.NodeMetadata;
import org.quorumail.gossip.swim.SwimMember;
import org.quorumail.gossip.transport.SocketAddresses;

class MemberDirectoryTest {
  @Test
  void suspectAndDeadNodesAreCalledAfterARestartButNotThoseThatLeft() {
    MemberDirectory book = new MemberDirectory();
    put(book, 1, MemberState.DEAD);
    put(book, 2, MemberState.SUSPECT);
    put(book, 3, MemberState.LEFT);
    put(book, 4, MemberState.ALIVE);
    assertThat(book.rejoinAddresses()).hasSize(3).last().isEqualTo(at(1));
    assertThat(book.rejoinAddresses()).contains(at(2), at(4));
  }

  @Test
  void anAddressBelongsToTheLivingNode() {
    MemberDirectory book = new MemberDirectory();
    SwimMember old = node("old", 1);
    SwimMember heir = node("heir", 1);
    book.put(old, MemberState.ALIVE);
    book.put(heir, MemberState.ALIVE);
    book.put(old, MemberState.DEAD);
    assertThat(book.peer(heir.address()).nodeId()).isEqualTo("heir");
    book.put(heir, MemberState.LEFT);
    assertThat(book.peer(heir.address()).nodeId()).as("whoever answers").isEmpty();
  }

  private static void put(MemberDirectory book, int i, MemberState state) {
    book.put(node("n" + i, i), state);
  }

  private static SwimMember node(String id, int port) {
    return new SwimMember(
        new NodeId(id), SocketAddresses.toNodeAddress(at(port)), 1, NodeMetadata.of(new byte[0]));
  }

  private static InetSocketAddress at(int port) {
    return new InetSocketAddress("127.0.0.1", port);
  }
}
