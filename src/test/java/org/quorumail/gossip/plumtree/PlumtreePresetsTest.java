package org.quorumail.gossip.plumtree;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class PlumtreePresetsTest {
  private static final List<PlumtreeConfig> PRESETS =
      List.of(
          PlumtreeConfig.standard(),
          PlumtreeConfig.lan(),
          PlumtreeConfig.wan(),
          PlumtreeConfig.largeCluster());

  @Test
  void theDocumentedTableIsThatOfThePresets() throws Exception {
    List<String> table = Files.readAllLines(Path.of("docs/gossip.md"));
    assertThat(table)
        .contains(
            row("eager_fanout / lazy_fanout", c -> c.eagerFanout() + " / " + c.lazyFanout()),
            row(
                "ihave_interval / ihave_batch_size",
                c -> time(c.ihaveInterval()) + " / " + c.ihaveBatchSize()),
            row(
                "message_cache_ttl / max_size / max_bytes",
                c ->
                    "%s / %,d / %d MB"
                        .formatted(
                            c.messageCacheTtl().toSeconds() + " s",
                            c.messageCacheMaxSize(),
                            c.messageCacheMaxBytes() >> 20)),
            row("optimization_threshold", c -> "" + c.optimizationThreshold()),
            row(
                "graft_timeout / graft_max_retries",
                c -> time(c.graftTimeout()) + " / " + c.graftMaxRetries()),
            row(
                "graft_rate_limit_per_second / burst",
                c -> c.graftRateLimitPerSecond() + " / " + c.graftRateLimitBurst()),
            row(
                "maintenance_interval / jitter",
                c -> time(c.maintenanceInterval()) + " / " + time(c.maintenanceJitter())),
            row(
                "protect_ring_neighbors / max_protected_neighbors",
                c -> (c.protectRingNeighbors() ? "yes / " : "no / ") + c.maxProtectedNeighbors()),
            row(
                "max_eager_peers / max_lazy_peers",
                c ->
                    c.maxEagerPeers() == 0
                        ? "none"
                        : c.maxEagerPeers() + " / " + c.maxLazyPeers()));
  }

  /** The first column is the default; {@code =} where a preset has the same in all rows. */
  private static String row(String name, Function<PlumtreeConfig, String> cell) {
    List<String> cells = PRESETS.stream().map(cell).toList();
    boolean same = cells.stream().distinct().count() == 1;
    List<String> shown = same ? List.of(cells.getFirst(), "=", "=", "=") : cells;
    return "| " + name + " | " + String.join(" | ", shown) + " |";
  }

  private static String time(Duration d) {
    return d.toMillis() % 1_000 == 0 ? d.toSeconds() + " s" : d.toMillis() + " ms";
  }

  @Test
  void aValueThatWouldStopTheCoreIsRejectedWithItsName() {
    assertThat(refusal(() -> new SyncConfig(true, Duration.ZERO, Duration.ofSeconds(1), 100)))
        .contains("sync_interval");
    assertThat(refusal(() -> new SyncConfig(true, Duration.ofSeconds(1), Duration.ZERO, 0)))
        .contains("max_batch_size");
    assertThat(refusal(() -> new PriorityConfig(true, 0, 1, 1, 1, 1, 1, 1, 1)))
        .contains("critical_depth");
    assertThat(refusal(() -> new PriorityConfig(true, 1, 1, 1, 1, 1, 1, 1, 0)))
        .contains("low_weight");
    BatcherConfig b = BatcherConfig.standard();
    assertThat(
            refusal(
                () ->
                    new BatcherConfig(
                        1,
                        16,
                        65,
                        b.lowLatency(),
                        b.highLatency(),
                        1,
                        1,
                        b.recalculation(),
                        b.window(),
                        1,
                        0,
                        0)))
        .contains("max_batch");
    assertThat(
            refusal(
                () ->
                    new BatcherConfig(
                        1,
                        16,
                        64,
                        b.lowLatency(),
                        b.highLatency(),
                        1,
                        1,
                        Duration.ZERO,
                        b.window(),
                        1,
                        0,
                        0)))
        .contains("recalculation");
    assertThat(refusal(() -> PlumtreeConfig.lan().withMaxMessageSize(4 << 20)))
        .as("longer than a frame")
        .contains("max_message_size");
  }

  private static String refusal(Runnable making) {
    try {
      making.run();
      return "";
    } catch (IllegalArgumentException e) {
      return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    }
  }
}
