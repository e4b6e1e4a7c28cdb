package org.quorumail.cluster;

import java.util.Map;
import java.util.Objects;

/**
 * An event of the cluster that operators want to see.
 *
 * @param time ISO 8601, UTC, by the clock of the publishing node
 * @param node the publishing node
 * @param type such as NodeFailed
 * @param details a few words each, no secrets
 */
public record ClusterEvent(String time, String node, String type, Map<String, String> details) {
  /** The bound of an event: a bloated one must not fill the memory of all nodes. */
  static final int MAX_BYTES = 4 << 10;

  public ClusterEvent {
    Objects.requireNonNull(time, "time"); // JSON of another node may lack them
    Objects.requireNonNull(node, "node");
    Objects.requireNonNull(type, "type");
    details = Map.copyOf(details);
  }
}
