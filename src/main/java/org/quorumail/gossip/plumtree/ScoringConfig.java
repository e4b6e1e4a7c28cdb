package org.quorumail.gossip.plumtree;

import java.time.Duration;

/**
 * The parameters of a {@link PeerScore}, which chooses among several announcers of a message:
 * {@code 1000 / (rtt + floor)^exponent / (1 + lossRate × lossPenalty)}.
 */
public record ScoringConfig(
    double emaAlpha,
    Duration maxSampleAge,
    Duration initialRtt,
    int minSamples,
    double lossPenalty,
    Duration failureHalfLife,
    double exponent,
    Duration floor) {
  public ScoringConfig {
    PlumtreeConfig.bounded("failure_half_life", failureHalfLife.toMillis(), 1_000, 86_400_000);
    PlumtreeConfig.bounded("floor", floor.toMillis(), 1, 60_000);
  }

  public static ScoringConfig standard() {
    return of(0.3, 5, 100, 3, 2, 30, 10);
  }

  public static ScoringConfig lan() {
    return of(0.5, 3, 10, 2, 3, 15, 5);
  }

  public static ScoringConfig wan() {
    return of(0.2, 10, 200, 5, 1.5, 60, 20);
  }

  private static ScoringConfig of(
      double alpha, int ageMinutes, int rtt, int samples, double penalty, int half, int floor) {
    return new ScoringConfig(
        alpha,
        Duration.ofMinutes(ageMinutes),
        Duration.ofMillis(rtt),
        samples,
        penalty,
        Duration.ofMinutes(half),
        1.15,
        Duration.ofMillis(floor));
  }
}
