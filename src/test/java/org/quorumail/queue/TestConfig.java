package org.quorumail.queue;

import java.util.Map;
import org.quorumail.node.Config;
import org.quorumail.node.ConfigReader;
import org.quorumail.node.ConfigResult;

/** Configurations as an operator writes them. */
final class TestConfig {
  /** Time is made to jump here; deferred mail is taken up at once. */
  private static final Map<String, String> QUICK =
      Map.of("QUORUMAIL_DELIVERY_PROCESS_INTERVAL", "100ms");

  private TestConfig() {}

  static Config of(String toml) {
    return switch (ConfigReader.read(toml, "test.toml", QUICK, Map.of())) {
      case ConfigResult.Valid valid -> valid.config();
      case ConfigResult.Invalid invalid ->
          throw new IllegalArgumentException(invalid.problems().toString());
    };
  }
}
