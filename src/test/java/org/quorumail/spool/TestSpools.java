package org.quorumail.spool;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.time.Clock;

/** Opens spools for tests, which end the process on no damage. */
final class TestSpools {
  private TestSpools() {}

  static EventRetention eventRetention() {
    return new EventRetention(
        SpoolConfig.EVENT_MAX_AGE, SpoolConfig.EVENT_MAX_SIZE, Clock.systemUTC());
  }

  static Spools open(
      Spools.Settings settings, Clock clock, MeterRegistry registry, OwnershipListener listener)
      throws IOException {
    return Spools.open(settings, clock, registry, listener, damage -> {});
  }
}
