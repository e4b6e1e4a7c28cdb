package org.quorumail.queue;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import org.quorumail.delivery.DeliveryAgent;
import org.quorumail.delivery.FakeResolver;
import org.quorumail.delivery.MxOverrides;
import org.quorumail.delivery.Router;
import org.quorumail.node.Config;

/** Configurations as an operator writes them, and delivery agents for them. */
final class TestConfig {
  /** The tests make time jump; deferred mail is taken up at once. */
  private static final Map<String, String> QUICK =
      Map.of("QUORUMAIL_DELIVERY_PROCESS_INTERVAL", "100ms");

  private TestConfig() {}

  static Config of(String toml) {
    return org.quorumail.delivery.TestConfig.of(toml, QUICK);
  }

  /** An agent for which no domain exists. */
  static DeliveryAgent agent(Config config, MxOverrides overrides, MeterRegistry meters) {
    Router router = new Router(config.routes(), config.delivery(), overrides);
    return new DeliveryAgent(
        config.hostname(), config.delivery(), router, new FakeResolver(), meters);
  }
}
