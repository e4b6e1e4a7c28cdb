package org.quorumail.gossip.sim;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.quorumail.gossip.sim.MembershipScenario.NetworkConditions;

/** Short runs of the bars with a fixed seed; {@code quorumail sim gossip} runs the long ones. */
class MembershipRunTest {
  private static final long SEED = 42;

  @Test
  void oneSeedGivesOneReport() {
    MembershipScenario scenario =
        MembershipScenario.withoutFaults(30, SEED)
            .withNetwork(new NetworkConditions(1, 20, 3, 30, 0.1, 0.05, 0.05))
            .withCrashes(3)
            .withPartition(20_000)
            .withDrift(0.01);

    assertThat(MembershipRun.of(scenario)).isEqualTo(MembershipRun.of(scenario));

    assertThat(MembershipRun.of(scenario).events())
        .isNotEqualTo(MembershipRun.of(MembershipScenario.withoutFaults(30, SEED + 1)).events());
  }

  @Test
  void aCrashOfOneOfFiveIsDetectedByAllWithinFiveSeconds() {
    for (int seed = 0; seed < 20; seed++) {
      MembershipReport report =
          MembershipRun.of(
              MembershipScenario.withoutFaults(5, SEED + seed).withSteady(5_000).withCrashes(1));

      assertThat(report.detectedByAll().getMaxValue())
          .as("seed %d", SEED + seed)
          .isBetween(3_500L, 5_000L);
    }
  }

  @Test
  void aPauseOfThreeSecondsIsNotADeath() {
    for (int seed = 0; seed < 10; seed++) {
      MembershipReport report =
          MembershipRun.of(
              MembershipScenario.withoutFaults(5, SEED + seed)
                  .withSteady(60_000)
                  .withPauses(4, 3_000));

      assertThat(report.falseDeaths()).as("seed %d", SEED + seed).isZero();
      assertThat(report.refutations()).as("seed %d", SEED + seed).isPositive();
    }
  }

  @Test
  void aHundredNodesMeetTheBarsOfDetectionTrafficAndHealing() {
    MembershipReport report =
        MembershipRun.of(
            MembershipScenario.withoutFaults(100, SEED).withCrashes(100).withPartition(60_000));

    assertThat(report.firstDetected().getValueAtPercentile(50)).isLessThanOrEqualTo(10_000);
    assertThat(report.firstDetected().getMaxValue()).isLessThanOrEqualTo(12_000);
    assertThat(report.detectedByAll().getMaxValue()).isLessThanOrEqualTo(12_000);
    assertThat(report.undetected()).isZero();
    assertThat(report.messagesPerSecond()).isLessThanOrEqualTo(2.2);
    assertThat(report.bytesPerSecond()).isLessThanOrEqualTo(250);
    assertThat(report.falseDeaths()).isZero();
    assertThat(report.healed()).isBetween(0L, 5_000L);
  }

  @Test
  void lossOfThirtyPercentCausesNoFalseDeath() {
    MembershipReport report =
        MembershipRun.of(
            MembershipScenario.withoutFaults(50, SEED)
                .withNetwork(NetworkConditions.calibration().withLoss(0.3))
                .withSteady(60_000));

    assertThat(report.falseDeaths()).isZero();
    assertThat(report.falseSuspicionsPerNodeHour()).isPositive();
  }

  @Test
  void aSlowMemberAndDriftingClocksCauseNoFalseDeath() {
    MembershipReport report =
        MembershipRun.of(
            MembershipScenario.withoutFaults(50, SEED)
                .withSlowNodes(2, 500)
                .withDrift(0.02)
                .withSteady(60_000));

    assertThat(report.falseDeaths()).isZero();
  }
}
