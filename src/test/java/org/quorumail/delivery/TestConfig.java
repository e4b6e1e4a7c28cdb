package org.quorumail.delivery;

import java.util.Map;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigReader;
import org.quorumail.node.ConfigResult;

/** Configurations as an operator writes them. */
public final class TestConfig {
  private TestConfig() {}

  static Config of(String toml) {
    return of(toml, Map.of());
  }

  public static Config of(String toml, Map<String, String> environment) {
    return switch (ConfigReader.read(toml, "test.toml", environment, Map.of())) {
      case ConfigResult.Valid valid -> valid.config();
      case ConfigResult.Invalid invalid ->
          throw new IllegalArgumentException(invalid.problems().toString());
    };
  }

  static Router router(String toml) {
    Config config = of(toml);
    return new Router(config.routes(), config.delivery(), new MxOverrides());
  }
}
