package org.quorumail.gossip.swim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.NodeAddress;
import org.quorumail.gossip.NodeId;

class MemberTableTest {
  private static final int NAMES = 3_000;
  private static final List<MemberState> STATES = List.of(MemberState.values());

  private final SplittableRandom random = new SplittableRandom(11);
  private final MemberTable table = new MemberTable(new NodeId("self"));
  private final Map<NodeId, MemberState> model = new HashMap<>();

  @Test
  void theTableAgreesWithAMapWhateverIsAddedAndRemoved() {
    for (int i = 0; i < 20_000; i++) {
      NodeId id = name(random.nextInt(NAMES));
      if (random.nextInt(20) == 0) {
        table.remove(id);
        model.remove(id);
      } else {
        put(id, STATES.get(random.nextInt(STATES.size())));
      }
    }
    for (int i = 0; i < NAMES; i++) {
      // another object with the same name, like one decoded from the network
      NodeId id = name(i);
      assertThat(table.state(id)).isEqualTo(model.get(id));
      SwimMember found = table.find(id);
      assertThat(found == null ? null : found.id()).isEqualTo(model.containsKey(id) ? id : null);
    }
    assertThat(table.rows()).isEqualTo(model.size());
    assertThat(table.live()).isEqualTo((int) liveInModel());
  }

  @Test
  void digestsDependOnTheLiveRowsOnlyNotOnTheirHistory() {
    MemberTable other = new MemberTable(new NodeId("self"));
    for (int i = 0; i < 500; i++) put(name(i), MemberState.ALIVE);
    for (int i = 0; i < 250; i++) put(name(i), MemberState.DEAD);
    for (int i = 499; i >= 250; i--) other.put(node(name(i)), MemberState.ALIVE, random);
    assertThat(table.digests(16)).isEqualTo(other.digests(16));
    other.put(node(name(300)), MemberState.DEAD, random);
    assertThat(table.digests(16)).isNotEqualTo(other.digests(16));
  }

  @Test
  void aRoundVisitsEveryLiveMemberOnce() {
    for (int i = 0; i < 100; i++) put(name(i), MemberState.ALIVE);
    for (int i = 0; i < 20; i++) put(name(i), MemberState.LEFT);
    Set<NodeId> met = new HashSet<>();
    for (int i = 0; i < 80; i++) {
      SwimMember next = table.nextInRound(random);
      assertThat(next).isNotNull();
      if (next != null) met.add(next.id());
    }
    assertThat(met).hasSize(80);
  }

  private void put(NodeId id, MemberState state) {
    table.put(node(id), state, random);
    model.put(id, state);
  }

  private long liveInModel() {
    return model.values().stream().filter(MemberState::isMember).count();
  }

  private static NodeId name(int i) {
    return new NodeId("member-" + i);
  }

  private static SwimMember node(NodeId id) {
    return new SwimMember(id, NodeAddress.ipv4(1, 1), 0, NodeMetadata.EMPTY);
  }
}
