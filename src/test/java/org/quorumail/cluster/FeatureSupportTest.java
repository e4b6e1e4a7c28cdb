package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.quorumail.cluster.ClusterMapTest.founded;
import static org.quorumail.cluster.ClusterMapTest.metadata;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.quorumail.cluster.Membership.Presence;

class FeatureSupportTest {
  private final ClusterMap map = founded(3);

  private Membership.Member seen(int i, Presence presence, @Nullable List<String> features) {
    MemberMetadata present = TestMetadata.like(metadata(i, null, map)).features(features).build();
    return new Membership.Member(present, presence, 0);
  }

  private FeatureSupport support(Membership.Member... others) {
    return new FeatureSupport(map, metadata(1, null, map), List.of(others));
  }

  @Test
  void allMembersMustBeThereAndNameTheFeature() {
    List<String> some = List.of("other", "f");
    assertThat(
            support(seen(2, Presence.ALIVE, some), seen(3, Presence.ALIVE, some))
                .memberWithout("f"))
        .isEmpty();
    assertThat(support(seen(2, Presence.ALIVE, some)).memberWithout("f")).contains("n3");
    assertThat(
            support(seen(2, Presence.ALIVE, null), seen(3, Presence.ALIVE, some))
                .memberWithout("f"))
        .contains("n2");
    assertThat(
            support(seen(2, Presence.ALIVE, some), seen(3, Presence.DEAD, some)).memberWithout("f"))
        .contains("n3");
    assertThat(
            support(seen(2, Presence.ALIVE, some), seen(3, Presence.ALIVE, List.of("other")))
                .memberWithout("f"))
        .contains("n3");
  }

  @Test
  void thisReleaseHasItsOwnFeatures() {
    assertThat(MemberMetadata.FEATURES).contains(MemberMetadata.OPERATOR_ORDERS);
  }
}
