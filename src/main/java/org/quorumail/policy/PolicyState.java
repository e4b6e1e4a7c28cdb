package org.quorumail.policy;

import java.time.Duration;
import java.util.Optional;
import org.quorumail.config.RateLimit;

/**
 * What checks remember beyond a session: rates and greylisted triplets. One node's own memory, or
 * all nodes' together. Thread-safe; cheap enough to be asked at each command. May forget: a caller
 * must be right, if less strict, when what it kept is gone.
 */
public interface PolicyState {
  /**
   * Counts one event against a rate.
   *
   * @param key whose rate, such as {@code "message client 192.0.2.1"}
   * @return whether it is within the rate; if not, it was not counted
   */
  boolean tryAcquire(String key, RateLimit limit);

  /** What was kept under the key, unless its time is over. */
  Optional<String> find(String key);

  /** Keeps a value, in place of an older one. */
  void put(String key, String value, Duration atMost);
}
