package org.quorumail.node;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.quorumail.api.ClusterView.ClusterNode;
import org.quorumail.api.ClusterView.ClusterStatus;
import org.quorumail.api.ClusterView.LocalNode;
import org.quorumail.api.ClusterView.NodeMetadata;
import org.slf4j.LoggerFactory;

class ClusterStateLogTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger(ClusterStateLog.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private final ClusterStateLog log = new ClusterStateLog();

  @BeforeEach
  void record() {
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void stop() {
    logger.detachAppender(lines);
  }

  @Test
  void aLostQuorumIsOneWarningThatNamesTheMissingNodes() {
    update(3, "Healthy", Map.of());
    update(10, "NoQuorum", Map.of("n2", "unhealthy", "n3", "disconnected"));
    update(3, "Healthy", Map.of());
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "event=cluster_state_changed from=Forming to=Healthy",
            "event=cluster_state_changed from=Healthy to=NoQuorum reason=\"n1 reaches no quorum and"
                + " accepts no mail: start or reconnect n2, n3\"",
            "event=cluster_state_changed from=NoQuorum to=Healthy");
    assertThat(lines.list.get(1).getLevel()).isEqualTo(Level.WARN);
  }

  @Test
  void anElectionIsNoLine() {
    update(3, "Healthy", Map.of());
    update(2, "NoQuorum", Map.of());
    update(3, "Healthy", Map.of());
    assertThat(lines.list).hasSize(1);
  }

  private void update(int times, String state, Map<String, String> ill) {
    List<ClusterNode> nodes = new ArrayList<>();
    for (String id : List.of("n1", "n2", "n3"))
      nodes.add(node(id, ill.getOrDefault(id, "healthy")));
    ClusterStatus status =
        new ClusterStatus(
            3,
            3 - ill.size(),
            ill.size(),
            null,
            state,
            1,
            new LocalNode("n1", "follower", "healthy", 1),
            null);
    for (int i = 0; i < times; i++) log.update(status, nodes);
  }

  private static ClusterNode node(String id, String status) {
    NodeMetadata metadata = new NodeMetadata("1", 1, 0, 0, 0, 0);
    return new ClusterNode(
        id, "127.0.0.1", 7946, "follower", status, "r", "z", null, metadata, null);
  }
}
