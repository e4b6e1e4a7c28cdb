package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.member;
import static org.quorumail.cluster.ClusterMapTest.metadata;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.Membership.Presence;

class SpoolDissolutionTest {
  private final ClusterMap map = founded(4).withoutMember(member(4), m -> true);

  private Membership.Member seen(int i, Presence presence, boolean knows) {
    MemberMetadata old = metadata(i, null, map);
    MemberMetadata present = TestMetadata.like(old).map(map).mapVersion(ClusterMap.VERSION).build();
    return new Membership.Member(knows ? present : old, presence, 0);
  }

  private SpoolDissolution dissolution(ClusterMap of, Membership.Member... others) {
    return new SpoolDissolution(of, metadata(1, null, of), List.of(others));
  }

  @Test
  void onlySpoolsOfRemovedNodesAreGivenUp() {
    assertThat(dissolution(founded(4)).candidates()).isEmpty();
    assertThat(dissolution(map).candidates()).containsExactly("n4");
    assertThat(dissolution(map.withoutSpool("n4")).candidates()).isEmpty();
    assertThat(dissolution(map, seen(4, Presence.ALIVE, true)).candidates())
        .as("it leaves, and waits for its group")
        .isEmpty();
    assertThat(dissolution(map, seen(4, Presence.LEFT, true)).candidates()).containsExactly("n4");
    Membership.Member wiped =
        new Membership.Member(metadata(4, map.clusterId(), null), Presence.ALIVE, 0);
    assertThat(dissolution(map, wiped).candidates()).containsExactly("n4");
  }

  @Test
  void theFirstOneNeedsAllMembersThereAndUpgraded() {
    Membership.Member second = seen(2, Presence.ALIVE, true);
    assertThat(dissolution(map, second, seen(3, Presence.ALIVE, true)).obstacle()).isEmpty();
    assertThat(dissolution(map, second, seen(3, Presence.ALIVE, false)).obstacle())
        .get()
        .asString()
        .contains("n3", "upgraded");
    assertThat(dissolution(map, second, seen(3, Presence.DEAD, true)).obstacle()).isPresent();
    assertThat(dissolution(map, second).obstacle()).get().asString().contains("n3 is down");
  }

  @Test
  void laterAMemberMayBeDown() {
    assertThat(dissolution(map.withoutSpool("n4")).obstacle()).isEmpty();
  }
}
