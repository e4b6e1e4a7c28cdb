package org.quorumail.api;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The other nodes of the cluster, as this node calls them. Thread-safe; {@link #call} waits. */
public interface OtherNodes {
  /** The time that a node has for a query. */
  Duration QUERY_TIMEOUT = Duration.ofSeconds(5);

  /** The time that a node has for a change, which waits for a quorum for up to five seconds. */
  Duration CHANGE_TIMEOUT = Duration.ofSeconds(8);

  /** The time that a node has to move the leadership of a group, with a drain before. */
  Duration MOVE_TIMEOUT = Duration.ofSeconds(20);

  /** No other node: this one stands alone. */
  static OtherNodes none() {
    return new StandAlone();
  }

  /** The id of this node. */
  String self();

  /** The ids of the other members of the cluster. */
  List<String> ids();

  /** Whether a node seems to be there; one that does not gets less time. */
  boolean isReachable(String node);

  /** The ids of the nodes that hold each spool of the cluster, by its name; its home is first. */
  Map<String, List<String>> spools();

  /**
   * Calls a node, which answers for itself alone: see {@link InternalApi}.
   *
   * @param target path and query
   * @return empty when the node does not answer in time, or cannot be understood
   */
  Optional<NodeAnswer> call(String node, String method, String target, Duration timeout);

  /** The spools that are on none of these nodes. */
  default List<String> spoolsWithout(Collection<String> nodes) {
    List<String> without = new ArrayList<>();
    spools()
        .forEach(
            (spool, holders) -> {
              if (Collections.disjoint(holders, nodes)) without.add(spool);
            });
    return without;
  }

  /** A node that stands alone. */
  record StandAlone() implements OtherNodes {
    @Override
    public String self() {
      return "";
    }

    @Override
    public List<String> ids() {
      return List.of();
    }

    @Override
    public boolean isReachable(String node) {
      return false;
    }

    @Override
    public Map<String, List<String>> spools() {
      return Map.of();
    }

    @Override
    public Optional<NodeAnswer> call(String node, String method, String target, Duration timeout) {
      return Optional.empty();
    }
  }
}
