package org.quorumail.gossip.plumtree;

/**
 * The score of a neighbour as a source of grafts: the moving mean of its round trips, and the
 * fading share of its failures. Old samples do not count.
 */
final class PeerScore {
  private final ScoringConfig config;
  private double rttMillis;
  private int samples;
  private long lastSample;
  private double failures;
  private double successes;
  private long lastOutcome;

  PeerScore(ScoringConfig config, long now) {
    this.config = config;
    this.lastOutcome = now;
  }

  void recordSuccess(long rtt, long now) {
    if (samples == 0 || now - lastSample > config.maxSampleAge().toMillis()) {
      rttMillis = rtt;
      samples = 0;
    } else {
      rttMillis += config.emaAlpha() * (rtt - rttMillis);
    }
    samples++;
    lastSample = now;
    fade(now);
    successes++;
  }

  void recordFailure(long now) {
    fade(now);
    failures++;
  }

  private void fade(long now) {
    double halves = (now - lastOutcome) / (double) config.failureHalfLife().toMillis();
    double factor = Math.pow(0.5, Math.max(0, halves));
    failures *= factor;
    successes *= factor;
    lastOutcome = now;
  }

  /** The score, higher is better; a peer without samples has the initial round trip. */
  double score(long now) {
    boolean known =
        samples >= config.minSamples() && now - lastSample <= config.maxSampleAge().toMillis();
    double rtt = known ? rttMillis : config.initialRtt().toMillis();
    double total = failures + successes;
    double loss = total == 0 ? 0 : failures / total;
    return 1_000
        / Math.pow(rtt + config.floor().toMillis(), config.exponent())
        / (1 + loss * config.lossPenalty());
  }
}
