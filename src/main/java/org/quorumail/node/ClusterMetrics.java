package org.quorumail.node;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.quorumail.api.ClusterView;

/**
 * The metrics of the cluster as this node sees it; the figures of other nodes are a few seconds
 * old. A name that ends in {@code _total} is a counter.
 */
final class ClusterMetrics {
  /** The bound of the label {@code node}; in a larger cluster, each node has its own metrics. */
  private static final int MAX_NODES = 256;

  private final Counter messages;
  private final MultiGauge health;
  private final Map<String, Long> messagesByNode = new HashMap<>();
  private Map<String, Double> published = Map.of();
  private volatile long sessions;

  ClusterMetrics(ClusterView cluster, MeterRegistry meters) {
    FunctionCounter.builder("smtp.cluster.nodes", cluster, c -> c.status().totalNodes())
        .description("Nodes of the cluster")
        .register(meters);
    Gauge.builder("smtp.cluster.healthy.nodes", cluster, c -> c.status().healthyNodes())
        .description("Nodes that are healthy")
        .strongReference(true)
        .register(meters);
    Gauge.builder("smtp.cluster.sessions.active", this, s -> s.sessions)
        .description("SMTP sessions open on all nodes")
        .strongReference(true)
        .register(meters);
    this.messages =
        Counter.builder("smtp.cluster.messages")
            .description("Messages accepted by all nodes since this one saw them first")
            .register(meters);
    this.health =
        MultiGauge.builder("smtp.cluster.node.health")
            .description(
                "1: healthy, 0.5: degraded or in maintenance, 0: unhealthy or disconnected")
            .register(meters);
  }

  /** Takes the figures of the moment. */
  void update(List<ClusterView.ClusterNode> nodes) {
    long open = 0;
    Map<String, Double> values = new TreeMap<>();
    for (ClusterView.ClusterNode node : nodes) {
      if (!node.status().equals("disconnected")) open += node.metadata().activeConnections();
      count(node.id(), node.metadata().messagesProcessed());
      if (values.size() < MAX_NODES) values.put(node.id(), value(node.status()));
    }
    sessions = open;
    messagesByNode.keySet().removeIf(id -> nodes.stream().noneMatch(node -> node.id().equals(id)));
    if (!values.equals(published)) publish(values);
  }

  /** Counts the messages of a node. A lower figure than before is that of a restarted node. */
  private void count(String node, long processed) {
    Long before = messagesByNode.put(node, processed);
    long from = before == null || processed < before ? 0 : before;
    if (processed > from) messages.increment((double) (processed - from));
  }

  private void publish(Map<String, Double> values) {
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    values.forEach((id, value) -> rows.add(MultiGauge.Row.of(Tags.of("node", id), value)));
    health.register(rows, true);
    published = values;
  }

  private static double value(String status) {
    return switch (status) {
      case "healthy" -> 1;
      case "degraded", "maintenance" -> 0.5;
      default -> 0;
    };
  }
}
