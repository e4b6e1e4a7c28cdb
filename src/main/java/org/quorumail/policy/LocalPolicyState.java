package org.quorumail.policy;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.quorumail.config.RateLimit;

/**
 * The policy state of this node alone, in memory. Above its capacity it forgets the least useful
 * keys. A rate is one number per key: the "theoretical arrival time" of the generic cell rate
 * algorithm (ITU-T I.371, annex A), which is a token bucket without the bucket. Nothing outlives
 * the process.
 */
public final class LocalPolicyState implements PolicyState {
  private final InstantSource time;
  private final Cache<String, StateEntry> values;

  /**
   * The state of one key. Arrival times have fractions of milliseconds, since a rate may be high.
   */
  private record StateEntry(String value, double theoreticalArrivalMillis, long expiresAtMillis) {}

  /**
   * @param capacity keys that are kept
   */
  public LocalPolicyState(int capacity, InstantSource time) {
    this.time = time;
    this.values =
        Caffeine.newBuilder()
            .maximumSize(capacity)
            .ticker(() -> time.millis() * 1_000_000)
            .expireAfter(Expiry.writing((String key, StateEntry kept) -> timeToLive(kept)))
            .build();
  }

  @Override
  public boolean tryAcquire(String key, RateLimit limit) {
    double interval = 1_000 / limit.perSecond();
    double now = time.millis();
    boolean[] taken = {false};
    values
        .asMap()
        .compute(
            key,
            (k, old) -> {
              double due = old == null ? now : Math.max(now, old.theoreticalArrivalMillis);
              taken[0] = due - now <= interval * (limit.burst() - 1) + 1e-6;
              if (!taken[0] && old != null) return old;
              double next = taken[0] ? due + interval : due;
              assert old == null || next >= old.theoreticalArrivalMillis : "a rate ran backwards";
              return new StateEntry("", next, (long) Math.ceil(next));
            });
    return taken[0];
  }

  @Override
  public Optional<String> find(String key) {
    StateEntry kept = values.getIfPresent(key);
    return kept == null || kept.expiresAtMillis <= time.millis()
        ? Optional.empty()
        : Optional.of(kept.value);
  }

  @Override
  public void put(String key, String value, Duration atMost) {
    values.put(key, new StateEntry(value, 0, time.millis() + atMost.toMillis()));
  }

  /** The approximate number of keys that are kept now. */
  public long size() {
    values.cleanUp();
    return values.estimatedSize();
  }

  private Duration timeToLive(StateEntry kept) {
    return Duration.ofMillis(Math.max(1, kept.expiresAtMillis - time.millis()));
  }
}
