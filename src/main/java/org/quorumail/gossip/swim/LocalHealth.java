package org.quorumail.gossip.swim;

/**
 * Lifeguard's local health multiplier: a node that misses answers doubts itself first. 0 is well. A
 * failed probe whose helpers did not all report back, an own refutation and an overslept timer add
 * one, a good probe takes one away. Probe interval and patience are multiplied by score + 1.
 */
final class LocalHealth {
  private final int max;
  private int score;
  private boolean sick;

  LocalHealth(int max) {
    this.max = max;
  }

  int score() {
    return score;
  }

  int scale(int millis) {
    return millis * (score + 1);
  }

  /** The driver's own verdict: event loop, garbage collector. */
  void setSick(boolean isSick) {
    this.sick = isSick;
  }

  /** A sick node accuses nobody. */
  boolean mayAccuse() {
    return !sick;
  }

  /** Whether the score changed. */
  boolean add(int points) {
    int before = score;
    score = Math.clamp(score + points, 0, max);
    return score != before;
  }
}
