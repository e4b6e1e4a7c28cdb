package org.quorumail.node;

import java.util.List;
import java.util.stream.Collectors;
import org.quorumail.api.ClusterView.ClusterNode;
import org.quorumail.api.ClusterView.ClusterStatus;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of the cluster's state as this node sees it. A state counts once it has lasted: an
 * election of a second is no loss of the quorum. Used by one thread.
 */
final class ClusterStateLog {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterStateLog.class);

  /** The updates in a row, one a second, that make a state worth a line. */
  private static final int LASTING_UPDATES = 3;

  private String logged = "Forming";
  private String seen = "Forming";
  private int updates;

  void update(ClusterStatus status, List<ClusterNode> nodes) {
    updates = status.state().equals(seen) ? updates + 1 : 1;
    seen = status.state();
    if (updates < LASTING_UPDATES || seen.equals(logged)) return;
    List<String> missing =
        nodes.stream().filter(n -> !n.status().equals("healthy")).map(ClusterNode::id).toList();
    String remedy = remedy(seen, status.localNode().id(), missing);
    if (remedy.isEmpty()) {
      LOG.info("event=cluster_state_changed from={} to={}", logged, seen);
    } else {
      LOG.warn("event=cluster_state_changed from={} to={} reason=\"{}\"", logged, seen, remedy);
    }
    logged = seen;
  }

  private static String remedy(String state, String self, List<String> missing) {
    String others =
        missing.stream().filter(id -> !id.equals(self)).sorted().collect(Collectors.joining(", "));
    return switch (state) {
      case "NoQuorum", "Partitioned" ->
          others.isEmpty()
              ? self + " accepts no mail: no leader is elected"
              : self + " reaches no quorum and accepts no mail: start or reconnect " + others;
      case "Degraded" -> "mail flows, but the next loss can stop it: bring back " + others;
      default -> "";
    };
  }
}
