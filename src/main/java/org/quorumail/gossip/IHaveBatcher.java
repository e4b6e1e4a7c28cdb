package org.quorumail.gossip;

/**
 * How many announcements make a full batch. Many messages per second and slow links want large
 * batches; failing grafts want small ones, as an announcement that waits is one that comes too
 * late.
 */
final class IHaveBatcher {
  private final BatcherConfig config;
  private double size;
  private double step;
  private double rate;

  /** Negative while there is no sample. */
  private double latencyMillis = -1;

  private long messages;
  private long calculated;

  IHaveBatcher(BatcherConfig config, int first, long now) {
    this.config = config;
    this.size = first;
    this.calculated = now;
  }

  void message() {
    messages++;
  }

  void latency(long millis) {
    latencyMillis =
        latencyMillis < 0 ? millis : latencyMillis + config.ema() * (millis - latencyMillis);
  }

  int size() {
    return (int) Math.round(size);
  }

  /** Follows what happened since the last time, when that is long enough ago. */
  void recalculate(double graftSuccess, long now) {
    long passed = now - calculated;
    if (passed < config.recalculation().toMillis()) return;
    double weight = passed >= config.window().toMillis() ? 1 : config.ema();
    rate += weight * (messages * 1_000.0 / passed - rate);
    messages = 0;
    calculated = now;
    double wanted = wanted(graftSuccess);
    if (Math.abs(wanted - size) <= config.hysteresis() * size) return;
    step = config.momentum() * step + (1 - config.momentum()) * (wanted - size);
    size = Math.clamp(size + step, config.minBatch(), config.maxBatch());
  }

  private double wanted(double graftSuccess) {
    if (graftSuccess < config.minGraftSuccess()) return config.minBatch();
    double byRate = config.targetBatch() * rate / config.highRate();
    double byLatency =
        latencyMillis > config.highLatency().toMillis()
            ? config.maxBatch()
            : latencyMillis >= 0 && latencyMillis < config.lowLatency().toMillis()
                ? config.minBatch()
                : size;
    return rate < config.highRate() ? byLatency : Math.max(byRate, byLatency);
  }
}
