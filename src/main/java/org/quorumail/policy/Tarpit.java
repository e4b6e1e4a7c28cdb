package org.quorumail.policy;

import java.time.Duration;

/**
 * The tarpit: waits before the greeting and before the reply to an error, longer with each error. A
 * correct client loses nothing, and an impatient one gives up. A waiting session costs a virtual
 * thread.
 */
public record Tarpit(PolicyConfig.TarpitConfig config) {
  public Duration greetingDelay() {
    return config.greetDelay();
  }

  /**
   * The wait before the reply to an error.
   *
   * @param errors of this session so far, this one included
   */
  public Duration errorDelay(int errors) {
    int counted = errors - config.afterErrors();
    if (counted <= 0 || config.errorDelay().isZero()) return Duration.ZERO;
    Duration grown = config.errorDelay().multipliedBy(counted);
    return grown.compareTo(config.maxDelay()) > 0 ? config.maxDelay() : grown;
  }

  /** Sleeps; false when the thread is interrupted first. */
  public static boolean sleep(Duration time) {
    try {
      Thread.sleep(time);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
