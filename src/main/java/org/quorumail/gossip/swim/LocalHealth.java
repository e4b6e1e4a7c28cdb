package org.quorumail.gossip.swim;

/**
 * Lifeguard's local health multiplier: a node that misses answers doubts itself first. A score of 0
 * is healthy. A failed probe without a nack from every helper, an own refutation and a late tick
 * add one; a successful probe takes one away. Probe interval and time-outs are multiplied by score
 * + 1.
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

  /** Sets the driver's own verdict, from its event loop or the garbage collector. */
  void setSick(boolean isSick) {
    this.sick = isSick;
  }

  /** A sick node accuses no member. */
  boolean mayAccuse() {
    return !sick;
  }

  /** Adds points within the bounds; returns whether the score changed. */
  boolean add(int points) {
    int before = score;
    score = Math.clamp(score + points, 0, max);
    return score != before;
  }
}
