package org.quorumail.gossip.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.quorumail.gossip.sim.MembershipScenario.NetworkConditions;

/** Short runs of both cores on the engine, with a fixed seed. */
class BroadcastRunTest {
  private static final long SEED = 42;

  @Test
  void oneSeedGivesOneReport() {
    MembershipScenario scenario =
        MembershipScenario.withoutFaults(30, SEED)
            .withNetwork(new NetworkConditions(1, 20, 3, 30, 0.1, 0.05, 0.05));

    assertThat(BroadcastRun.of(scenario, 0.3)).isEqualTo(BroadcastRun.of(scenario, 0.3));
  }

  @Test
  void aWarmTreeOfAHundredMeetsItsBars() {
    BroadcastReport report = BroadcastRun.of(MembershipScenario.withoutFaults(100, SEED), 0);

    assertThat(report.warm().reliability()).isEqualTo(1);
    assertThat(report.warm().redundancy()).isLessThanOrEqualTo(0.05);
    assertThat(report.warm().lastHop()).isLessThanOrEqualTo(7);
    assertThat(report.warm().bytesPerNode()).isLessThanOrEqualTo(560);
    assertThat(report.random().reliability()).isEqualTo(1);
  }

  @Test
  void allNodesDeliverDespiteLossAndAfterHalfDied() {
    BroadcastReport report =
        BroadcastRun.of(
            MembershipScenario.withoutFaults(100, SEED)
                .withNetwork(NetworkConditions.calibration().withLoss(0.2)),
            0.5);

    assertThat(report.warm().reliability()).isEqualTo(1);
    assertThat(report.random().reliability()).isEqualTo(1);
    assertThat(report.afterKill()).isEqualTo(1);
  }
}
