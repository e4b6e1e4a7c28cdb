package org.quorumail.gossip.plumtree;

/**
 * The number of announcements in a full batch. It is large for many messages per second and for
 * slow links. It is small while grafts fail, as a waiting announcement comes too late.
 */
final class IHaveBatchSizer {
  private final BatcherConfig config;
  private double batchSize;
  private double step;
  private double rate;

  /** The mean latency; negative while there is no sample. */
  private double latencyMillis = -1;

  private long messages;
  private long lastRecalculation;

  IHaveBatchSizer(BatcherConfig config, int first, long now) {
    this.config = config;
    this.batchSize = first;
    this.lastRecalculation = now;
  }

  void countMessage() {
    messages++;
  }

  void sampleLatency(long millis) {
    latencyMillis =
        latencyMillis < 0 ? millis : latencyMillis + config.ema() * (millis - latencyMillis);
  }

  int batchSize() {
    return (int) Math.round(batchSize);
  }

  /** Adapts the size to the rate, latency and grafts since the last recalculation, if due. */
  void recalculate(double graftSuccess, long now) {
    long passed = now - lastRecalculation;
    if (passed < config.recalculation().toMillis()) return;
    double weight = passed >= config.window().toMillis() ? 1 : config.ema();
    rate += weight * (messages * 1_000.0 / passed - rate);
    messages = 0;
    lastRecalculation = now;
    double wanted = targetSize(graftSuccess);
    if (Math.abs(wanted - batchSize) <= config.hysteresis() * batchSize) return;
    step = config.momentum() * step + (1 - config.momentum()) * (wanted - batchSize);
    batchSize = Math.clamp(batchSize + step, config.minBatch(), config.maxBatch());
  }

  private double targetSize(double graftSuccess) {
    if (graftSuccess < config.minGraftSuccess()) return config.minBatch();
    double byRate = config.targetBatch() * rate / config.highRate();
    double byLatency =
        latencyMillis > config.highLatency().toMillis()
            ? config.maxBatch()
            : latencyMillis >= 0 && latencyMillis < config.lowLatency().toMillis()
                ? config.minBatch()
                : batchSize;
    return rate < config.highRate() ? byLatency : Math.max(byRate, byLatency);
  }
}
