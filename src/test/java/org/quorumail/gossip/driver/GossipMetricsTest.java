package org.quorumail.gossip.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import org.junit.jupiter.api.Test;
import org.quorumail.gossip.plumtree.PlumtreeMetric;

class GossipMetricsTest {
  @Test
  void everySeriesOfBroadcastsHasItsNameAndTypeAtPrometheus() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    GossipMetrics metrics = new GossipMetrics(registry, true);
    metrics.sample(PlumtreeMetric.MESSAGE_HOPS, 3);
    String page = registry.scrape();
    for (PlumtreeMetric metric : PlumtreeMetric.values()) {
      String name = metric.seriesName();
      String type =
          switch (metric.kind()) {
            case COUNTER -> name + "_total counter";
            case GAUGE -> name + " gauge";
            case HISTOGRAM -> name + " histogram";
          };
      assertThat(page).contains("# TYPE " + type + "\n");
    }
    assertThat(page)
        .contains("plumtree_message_hops_bucket{le=\"2.0\"} 0")
        .contains("plumtree_message_hops_bucket{le=\"3.0\"} 1");
  }
}
