package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.quorumail.config.RateLimit;
import org.quorumail.smtp.client.TlsRule;

class DestinationLimiterTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void theWindowStartsSmallAndGrowsWithSuccess() {
    DestinationLimiter limiter = limiter(20, Optional.empty());
    assertThat(admitted(limiter, 0)).isEqualTo(1);
    limiter.growWindow();
    assertThat(admitted(limiter, 0)).isEqualTo(1);
    for (int i = 0; i < 100; i++) limiter.growWindow();
    assertThat(admitted(limiter, 0)).isEqualTo(18);
  }

  @Test
  void troubleHalvesTheWindow() {
    DestinationLimiter limiter = limiter(20, Optional.empty());
    for (int i = 0; i < 4; i++) limiter.growWindow();
    limiter.shrinkWindow();
    assertThat(admitted(limiter, 0)).isEqualTo(2);
    for (int i = 0; i < 10; i++) limiter.shrinkWindow();
    limiter.release();
    limiter.release();
    assertThat(admitted(limiter, 0)).isEqualTo(1);
  }

  @Test
  void anOpenCircuitAdmitsOneTrialAfterItsTime() {
    DestinationLimiter limiter = limiter(20, Optional.empty());
    limiter.openCircuitUntil(10 * SECOND);
    assertThat(limiter.admit(9 * SECOND)).isEqualTo(new Admission.CircuitOpen(10 * SECOND));
    assertThat(admitted(limiter, 10 * SECOND)).isEqualTo(1);
  }

  @Test
  void aRateLimitHasABurstAndThenARate() {
    DestinationLimiter limiter = limiter(20, Optional.of(new RateLimit(2, 3)));
    for (int i = 0; i < 9; i++) limiter.growWindow();
    assertThat(admitted(limiter, 0)).isEqualTo(3);
    assertThat(limiter.admit(0)).isEqualTo(new Admission.RateLimited(SECOND / 2));
    assertThat(admitted(limiter, SECOND / 2)).isEqualTo(1);
  }

  /** A black hole takes half a minute to fail: the circuits of hosts would never open. */
  @Test
  void aDestinationThatIsNeverReachedWaitsLongerEachTime() {
    DestinationLimiter limiter = limiter(20, Optional.empty());
    limiter.unreachable(0);
    assertThat(admitted(limiter, 0)).as("one failure may be chance").isEqualTo(1);
    limiter.release();
    limiter.unreachable(0);
    assertThat(limiter.admit(0)).isEqualTo(new Admission.CircuitOpen(SECOND));
    limiter.unreachable(SECOND);
    assertThat(limiter.admit(SECOND)).isEqualTo(new Admission.CircuitOpen(3 * SECOND));
    for (int i = 0; i < 100; i++) limiter.unreachable(0);
    assertThat(limiter.admit(0)).isEqualTo(new Admission.CircuitOpen(300 * SECOND));
    limiter.answered(300 * SECOND);
    limiter.unreachable(300 * SECOND);
    assertThat(admitted(limiter, 300 * SECOND)).isEqualTo(1);
  }

  @Test
  void anAdmissionThatIsWithdrawnCostsNoToken() {
    DestinationLimiter limiter = limiter(20, Optional.of(new RateLimit(1, 1)));
    assertThat(limiter.admit(0)).isInstanceOf(Admission.Granted.class);
    limiter.withdraw();
    assertThat(admitted(limiter, 0)).isEqualTo(1);
  }

  @Test
  void releasingMoreThanWasAdmittedIsABug() {
    DestinationLimiter limiter = limiter(20, Optional.empty());
    limiter.admit(0);
    limiter.release();
    assertThatThrownBy(limiter::release).isInstanceOf(IllegalStateException.class);
  }

  private static int admitted(DestinationLimiter limiter, long now) {
    int count = 0;
    while (limiter.admit(now) instanceof Admission.Granted) count++;
    return count;
  }

  private static DestinationLimiter limiter(int maxConnections, Optional<RateLimit> limit) {
    return new DestinationLimiter(
        new Destination(
            "d",
            List.of(),
            "d",
            TlsRule.OPPORTUNISTIC,
            List.of(),
            maxConnections,
            limit,
            List.of(),
            AddressFamily.ANY),
        0);
  }
}
