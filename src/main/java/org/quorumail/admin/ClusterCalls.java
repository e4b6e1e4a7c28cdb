package org.quorumail.admin;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.quorumail.api.InternalApi;
import org.quorumail.api.NodeAnswer;
import org.quorumail.api.OtherNodes;
import org.quorumail.cluster.ClusterMap;
import org.quorumail.cluster.Formation;
import org.quorumail.cluster.Placement;
import org.quorumail.node.ClusterMember;
import org.quorumail.node.NodeState;
import org.quorumail.node.RaftGroups;
import org.quorumail.replication.CallFailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The other members of the cluster map, called over the replication port. */
public final class ClusterCalls implements OtherNodes {
  private static final Logger LOG = LoggerFactory.getLogger(ClusterCalls.class);

  /** The time for a node that the membership holds for gone: it may be back. */
  private static final Duration UNREACHABLE_TIMEOUT = Duration.ofSeconds(1);

  private final ClusterMember member;
  private final NodeState state;

  public ClusterCalls(ClusterMember member, NodeState state) {
    this.member = member;
    this.state = state;
  }

  @Override
  public String self() {
    return member.metadata().nodeId();
  }

  @Override
  public List<String> ids() {
    String self = self();
    return state
        .groups()
        .map(groups -> groups.map().members().stream().map(Formation.Member::nodeId))
        .map(ids -> ids.filter(id -> !id.equals(self)).toList())
        .orElse(List.of());
  }

  @Override
  public boolean isReachable(String node) {
    return member.membership().members().stream()
        .anyMatch(m -> m.metadata().nodeId().equals(node) && m.reachable());
  }

  @Override
  public Map<String, List<String>> spools() {
    Map<String, List<String>> spools = new TreeMap<>();
    state.groups().ifPresent(groups -> addSpools(groups.map(), spools));
    return spools;
  }

  private static void addSpools(ClusterMap map, Map<String, List<String>> spools) {
    for (String home : map.spools().keySet()) {
      List<String> holders = new ArrayList<>();
      for (Formation.Member holder : map.spoolMembers(home)) {
        String id = holder.nodeId();
        holders.add(id.equals(home) ? 0 : holders.size(), id);
      }
      spools.put(Placement.spoolGroup(home), holders);
    }
  }

  @Override
  public Optional<NodeAnswer> call(String node, String method, String target, Duration timeout) {
    Optional<RaftGroups> groups = state.groups();
    if (groups.isEmpty()) return Optional.empty();
    Duration limit = isReachable(node) ? timeout : UNREACHABLE_TIMEOUT;
    try {
      byte[] request = InternalApi.request(method, target);
      return Optional.of(InternalApi.read(groups.get().call(node, request, limit)));
    } catch (CallFailedException.ReplyTooLong e) {
      return Optional.of(new NodeAnswer(NodeAnswer.TOO_LONG, new byte[0]));
    } catch (CallFailedException | IOException | IllegalArgumentException e) {
      LOG.info("event=node_not_answering node={} reason=\"{}\"", node, e.getMessage());
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }
}
