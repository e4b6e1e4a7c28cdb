package org.quorumail.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.quorumail.smtp.NextHopLimits;

class KnownLimitsTest {
  private final AtomicLong now = new AtomicLong();
  private final KnownLimits known = new KnownLimits(now::get);
  private final Destination destination = TestConfig.router("").destination("d.test");

  @Test
  void theMostGenerousHostOfAnHourCounts() {
    assertThat(known.find(destination)).isEmpty();
    known.learn(destination, new NextHopLimits(1000, false));
    known.learn(destination, new NextHopLimits(500, true));
    assertThat(known.find(destination)).contains(new NextHopLimits(1000, true));
    now.addAndGet(KnownLimits.TOGETHER.toNanos());
    known.learn(destination, new NextHopLimits(500, false));
    assertThat(known.find(destination)).contains(new NextHopLimits(500, false));
    known.learn(destination, new NextHopLimits(2000, false));
    assertThat(known.find(destination)).contains(new NextHopLimits(2000, false));
  }

  @Test
  void limitsThatNoConnectionHasConfirmedForADayAreForgotten() {
    known.learn(destination, new NextHopLimits(1000, false));
    now.addAndGet(KnownLimits.FORGET_AFTER.toNanos());
    assertThat(known.find(destination)).isEmpty();
  }
}
