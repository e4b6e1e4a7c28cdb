package org.quorumail.delivery;

import java.util.Map;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigReader;
import org.quorumail.node.ConfigResult;

/** Configurations as an operator writes them. */
final class TestConfig {
  private TestConfig() {}

  static Config of(String toml) {
    return switch (ConfigReader.read(toml, "test.toml", Map.of(), Map.of())) {
      case ConfigResult.Valid valid -> valid.config();
      case ConfigResult.Invalid invalid ->
          throw new IllegalArgumentException(invalid.problems().toString());
    };
  }
}
