package org.quorumail.gossip.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** A short run of the campaign whose figures are in bench/gossip.md; same bars, one seed. */
class BroadcastScenariosTest {
  private static final long SEED = 42;

  @Test
  void aHundredNodesReachEveryBar() {
    Map<String, Double> figures = BroadcastScenarios.run(100, SEED);
    String seed = "seed " + SEED + "\n" + BroadcastScenarios.format(figures);
    assertThat(figures.get("warm reached %")).as(seed).isEqualTo(100);
    assertThat(figures.get("warm RMR")).as(seed).isLessThanOrEqualTo(0.05);
    assertThat(figures.get("warm LDH")).as(seed).isLessThanOrEqualTo(7);
    assertThat(figures.get("warm bytes per node")).as(seed).isLessThanOrEqualTo(560);
    assertThat(figures.get("each often, RMR")).as(seed).isLessThanOrEqualTo(0.3);
    assertThat(figures.get("each often, p50 time / flood")).as(seed).isLessThanOrEqualTo(1.5);
    assertThat(figures.get("each once, RMR")).as(seed).isLessThanOrEqualTo(0.3);
    assertThat(figures.get("each once, p50 time / flood")).as(seed).isLessThanOrEqualTo(1.5);
    for (int loss : new int[] {20, 30}) {
      assertThat(figures.get(loss + " % loss, reached in 10 s %")).as(seed).isEqualTo(100);
      assertThat(figures.get(loss + " % loss, delivered twice")).as(seed).isZero();
    }
    assertThat(figures.get("50 % killed, first reached %")).as(seed).isEqualTo(100);
    assertThat(figures.get("80 % killed, first reached %")).as(seed).isGreaterThan(99.9);
    assertThat(figures.get("50 % killed, broadcasts until RMR < 0.1")).as(seed).isLessThan(3);
    assertThat(figures.get("50 % gone silently, reached in 20 s %")).as(seed).isEqualTo(100);
    assertThat(figures.get("partition, seconds to equal state")).as(seed).isLessThanOrEqualTo(5);
    assertThat(figures.get("partition, delivered twice")).as(seed).isZero();
  }

  @Test
  void aWarmTreeOfAThousandNodesSendsNothingTwice() {
    Map<String, Double> figures = calm(1_000, SEED);
    String seed = "seed " + SEED + "\n" + BroadcastScenarios.format(figures);
    assertThat(figures.get("warm RMR")).as(seed).isLessThanOrEqualTo(0.05);
    assertThat(figures.get("warm LDH")).as(seed).isLessThanOrEqualTo(9);
    assertThat(figures.get("warm bytes per node")).as(seed).isLessThanOrEqualTo(560);
    assertThat(figures.get("each once, RMR")).as(seed).isLessThanOrEqualTo(0.4);
    assertThat(figures.get("each once, p50 time / flood")).as(seed).isLessThanOrEqualTo(1.7);
    assertThat(figures.get("each often, p50 time / flood")).as(seed).isLessThanOrEqualTo(1.7);
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    assertThat(calm(20, 7)).isEqualTo(calm(20, 7)).isNotEqualTo(calm(20, 8));
  }

  private static Map<String, Double> calm(int nodes, long seed) {
    return BroadcastScenarios.of(nodes, seed, true).getFirst().get();
  }
}
