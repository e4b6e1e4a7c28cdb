package org.quorumail.policy;

import java.time.Duration;
import java.util.Optional;
import org.quorumail.config.RateLimit;

/**
 * The state that checks keep between sessions: rates and greylisted triplets. An implementation
 * holds it for one node or for all nodes. Thread-safe and cheap enough for each command. Entries
 * may be forgotten: a caller must stay correct, if less strict, when its entries are gone.
 */
public interface PolicyState {
  /**
   * Counts one event against a rate, if the rate allows it.
   *
   * @param key of the rate, such as {@code "message client 192.0.2.1"}
   * @return whether the event is within the rate; if not, it is not counted
   */
  boolean tryAcquire(String key, RateLimit limit);

  /** The value of a key, unless it has expired. */
  Optional<String> find(String key);

  /** Keeps a value, and replaces an older one. */
  void put(String key, String value, Duration atMost);
}
