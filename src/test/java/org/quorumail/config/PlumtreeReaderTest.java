package org.quorumail.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.PlumtreeConfig;

class PlumtreeReaderTest {
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
                    new PlumtreeConfig.SyncConfig(
                        false, lan.sync().syncInterval(), lan.sync().syncWindow(), 100)));
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
