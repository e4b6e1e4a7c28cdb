package org.quorumail.cluster;

import java.util.Map;

/**
 * Something that operators of the cluster want to see.
 *
 * @param time ISO 8601, UTC, by the clock of the node that says it
 * @param node who says it
 * @param type such as NodeFailed
 * @param details a few words each, no secrets
 */
public record ClusterEvent(String time, String node, String type, Map<String, String> details) {
  /** An event that somebody has bloated must not fill the memory of all nodes. */
  static final int MAX_BYTES = 4 << 10;

  public ClusterEvent {
    details = Map.copyOf(details);
  }
}
