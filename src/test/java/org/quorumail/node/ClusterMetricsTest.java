package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.quorumail.api.ClusterView;
import org.quorumail.api.FakeNode;

class ClusterMetricsTest {
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final ClusterMetrics series =
      new ClusterMetrics(new FakeNode(Path.of("none"), Map.of()), meters);

  @Test
  void sessionsAndMessagesAreThoseOfAllNodes() {
    series.update(List.of(node("n1", "healthy", 3, 100), node("n2", "healthy", 4, 50)));
    assertThat(sessions()).isEqualTo(7);
    assertThat(messages()).isEqualTo(150);

    series.update(List.of(node("n1", "healthy", 1, 110), node("n2", "disconnected", 4, 50)));
    assertThat(sessions()).isEqualTo(1);
    assertThat(messages()).isEqualTo(160);
  }

  @Test
  void aNodeThatStartsAnewTakesNothingFromTheCounter() {
    series.update(List.of(node("n1", "healthy", 0, 100)));
    series.update(List.of(node("n1", "degraded", 0, 2)));
    assertThat(messages()).isEqualTo(102);
  }

  @Test
  void healthFollowsTheStatusAndForgetsWhoIsGone() {
    series.update(List.of(node("n1", "healthy", 0, 0), node("n2", "maintenance", 0, 0)));
    assertThat(health("n1")).isEqualTo(1);
    assertThat(health("n2")).isEqualTo(0.5);

    series.update(List.of(node("n1", "disconnected", 0, 0)));
    assertThat(health("n1")).isZero();
    assertThat(meters.find("smtp.cluster.node.health").tag("node", "n2").gauge()).isNull();
  }

  private double sessions() {
    return meters.get("smtp.cluster.sessions.active").gauge().value();
  }

  private double messages() {
    return meters.get("smtp.cluster.messages").counter().count();
  }

  private double health(String node) {
    return meters.get("smtp.cluster.node.health").tag("node", node).gauge().value();
  }

  private static ClusterView.ClusterNode node(
      String id, String status, long sessions, long messages) {
    return new ClusterView.ClusterNode(
        id,
        "127.0.0.1",
        7946,
        "follower",
        status,
        "",
        "",
        null,
        new ClusterView.NodeMetadata("", 0, sessions, messages, 0, 0),
        null);
  }
}
