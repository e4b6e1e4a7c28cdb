package org.quorumail.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.quorumail.config.ConfigKey;
import org.quorumail.gossip.plumtree.CompressionConfig;
import org.quorumail.gossip.plumtree.PlumtreeConfig;
import org.quorumail.gossip.plumtree.PriorityConfig;
import org.quorumail.gossip.plumtree.SyncConfig;
import org.quorumail.node.ConfigReader;
import org.quorumail.node.ConfigResult;

class PlumtreeConfigReaderTest {
  @Test
  void withoutAWordItIsThePreset() {
    assertThat(read("")).isEqualTo(PlumtreeConfig.lan());
  }

  @Test
  void whatIsWrittenReplacesThePresetsValueAndNothingElse() {
    PlumtreeConfig config =
        read(
            """
            [cluster.gossip]
            graft_timeout = "350ms"
            message_cache_max_bytes = "32MB"
            [cluster.gossip.sync]
            enabled = false
            """);
    PlumtreeConfig lan = PlumtreeConfig.lan();
    assertThat(config)
        .isEqualTo(
            lan.withGraftTimeout(Duration.ofMillis(350))
                .withMessageCacheMaxBytes(32L << 20)
                .withSync(
                    new SyncConfig(
                        false, lan.sync().syncInterval(), lan.sync().syncWindow(), 100)));
  }

  @Test
  void compressionHasOneSwitchAboveItsOwn() {
    String gzip =
        """
        [cluster.gossip.compression]
        algorithm = "gzip"
        level = 6
        min_payload_size = 1024
        """;
    assertThat(read(gzip).compression())
        .isEqualTo(new CompressionConfig(true, CompressionConfig.Algorithm.GZIP, 6, 1_024));
    assertThat(read("cluster.compression = false\n" + gzip).compression())
        .isEqualTo(CompressionConfig.off());
  }

  @Test
  void queuesOfNeighboursHaveTheirDepthsAndWeights() {
    PriorityConfig priority =
        read("[cluster.gossip.priority]\nlow_depth = 7\nhigh_weight = 9\n").priority();
    assertThat(priority).isEqualTo(new PriorityConfig(true, 64, 256, 512, 7, 8, 9, 2, 1));
  }

  @Test
  void everyFieldIsAKey() {
    Set<String> keys =
        ConfigReader.keys().stream().map(ConfigKey::path).collect(Collectors.toSet());
    assertKeys(PlumtreeConfig.class, "cluster.gossip", keys);
  }

  @Test
  void aWrongValueIsNamedWithItsLine() {
    ConfigResult result =
        ConfigReader.read("[cluster.gossip]\neager_fanout = 0\n", "f", Map.of(), Map.of());
    assertThat(result)
        .isInstanceOfSatisfying(
            ConfigResult.Invalid.class,
            invalid ->
                assertThat(invalid.problems().getFirst())
                    .hasToString("f:2: cluster.gossip.eager_fanout: must be 1 to 16"));
  }

  @Test
  void aSmallestBatchAboveTheLargestIsRefused() {
    String toml = "[cluster.gossip.batcher]\nmin_batch = 32\nmax_batch = 16\n";
    assertThat(ConfigReader.read(toml, "f", Map.of(), Map.of()))
        .isInstanceOfSatisfying(
            ConfigResult.Invalid.class,
            invalid ->
                assertThat(invalid.problems().getFirst().toString())
                    .contains("cluster.gossip.batcher.max_batch"));
  }

  private static void assertKeys(Class<?> record, String path, Set<String> keys) {
    for (RecordComponent field : record.getRecordComponents()) {
      String key = path + "." + snake(field.getName());
      if (field.getType().isRecord()) assertKeys(field.getType(), key, keys);
      else assertThat(keys).contains(key);
    }
  }

  private static String snake(String name) {
    return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }

  private static PlumtreeConfig read(String toml) {
    ConfigResult result = ConfigReader.read(toml, "f", Map.of(), Map.of());
    assertThat(result).isInstanceOf(ConfigResult.Valid.class);
    return ((ConfigResult.Valid) result).config().cluster().plumtree();
  }
}
