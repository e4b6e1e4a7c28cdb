package org.quorumail.api;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.ClusterView.ElectionResult;

/** The routes of the cluster: status, nodes, leadership, replication. */
final class ClusterRoutes {
  /** The status for an order to a node that does not lead the group: ask another one. */
  static final int NOT_THE_LEADER = 421;

  private static final String META_GROUP = "meta";

  private final ClusterView cluster;
  private final OtherNodes others;

  ClusterRoutes(ClusterView cluster, OtherNodes others) {
    this.cluster = cluster;
    this.others = others;
  }

  List<ApiRoute> routes() {
    return List.of(
        new ApiRoute(
            "GET", "/cluster/status", Access.READ, r -> ApiResponse.json(cluster.status())),
        new ApiRoute(
            "GET", "/api/cluster/status", Access.READ, r -> ApiResponse.json(cluster.status())),
        new ApiRoute("GET", "/cluster/nodes", Access.READ, r -> ApiResponse.json(cluster.nodes())),
        new ApiRoute(
            "GET", "/api/cluster/nodes", Access.READ, r -> ApiResponse.json(cluster.nodes())),
        new ApiRoute("POST", "/api/cluster/elect", Access.WRITE, this::elect),
        new ApiRoute(
            "POST",
            "/api/cluster/step-down",
            Access.WRITE,
            new NamedNode(others).extend(this::stepDown)),
        new ApiRoute("POST", "/api/cluster/leave", Access.WRITE, r -> leave()),
        new ApiRoute("DELETE", "/api/cluster/nodes/{id}", Access.WRITE, this::remove),
        new ApiRoute("POST", "/api/cluster/nodes/{id}/replace", Access.WRITE, this::replace),
        new ApiRoute("GET", "/cluster/nodes/{id}", Access.READ, this::node),
        new ApiRoute("GET", "/api/cluster/nodes/{id}", Access.READ, this::node),
        new ApiRoute(
            "GET",
            "/api/cluster/replication/stats",
            Access.READ,
            r -> ApiResponse.json(cluster.replication())));
  }

  /** Passes the order on to the leader of the group, whichever node that is. */
  private ApiResponse elect(ApiRequest request) {
    String group = group(request);
    Optional<ElectionResult> own =
        cluster.transferLeadership(group, request.parameter("successor").orElse(""));
    if (own.isPresent()) return answer(own.get());
    boolean isMeta = group.equals(META_GROUP);
    List<String> members = isMeta ? others.ids() : others.spools().get(group);
    if (members == null && !others.ids().isEmpty())
      return ApiResponse.notFound("no group is called " + group);
    for (String node : leaderFirst(members == null ? List.of() : members)) {
      Optional<NodeAnswer> answer =
          others.call(node, request.method(), FanOut.target(request), OtherNodes.MOVE_TIMEOUT);
      if (answer.isPresent() && answer.get().status() != NOT_THE_LEADER)
        return FanOut.response(answer.get());
    }
    return ApiResponse.problem(
        NOT_THE_LEADER,
        "Misdirected Request",
        "%s has no leader at the moment that answers; one is being elected".formatted(group));
  }

  private List<String> leaderFirst(List<String> members) {
    String leader = cluster.status().leaderId();
    return members.stream()
        .filter(node -> !node.equals(others.self()))
        .sorted(Comparator.comparing((String node) -> !node.equals(leader)))
        .toList();
  }

  private ApiResponse stepDown(ApiRequest request) {
    String group = group(request);
    return cluster
        .transferLeadership(group, "")
        .map(ClusterRoutes::answer)
        .orElseGet(
            () ->
                ApiResponse.problem(
                    409,
                    "Conflict",
                    "%s does not lead %s".formatted(cluster.status().localNode().id(), group)));
  }

  private static String group(ApiRequest request) {
    return request.parameter("group").orElse(META_GROUP);
  }

  private static ApiResponse answer(ElectionResult election) {
    if (election.elected()) return ApiResponse.json(election);
    return ApiResponse.problem(409, "Conflict", election.reason());
  }

  private ApiResponse leave() {
    ClusterView.DepartureResult departure = cluster.leave();
    if (departure.leaves()) return ApiResponse.json(departure);
    return ApiResponse.problem(409, "Conflict", departure.reason());
  }

  private ApiResponse remove(ApiRequest request) {
    ClusterView.RemovalResult removal = cluster.removeNode(request.variable("id"));
    if (removal.removed()) return ApiResponse.json(removal);
    return ApiResponse.problem(409, "Conflict", removal.reason());
  }

  private ApiResponse replace(ApiRequest request) {
    String replacement = request.parameter("with").orElse("");
    if (replacement.isEmpty()) {
      return ApiResponse.problem(
          400, "Bad Request", "name the node that takes the places: ?with=NODE");
    }
    ClusterView.ReplacementResult result = cluster.replaceNode(request.variable("id"), replacement);
    if (result.replaced()) return ApiResponse.json(result);
    return ApiResponse.problem(409, "Conflict", result.reason());
  }

  private ApiResponse node(ApiRequest request) {
    String id = request.variable("id");
    for (ClusterView.ClusterNode node : cluster.nodes()) {
      if (node.id().equals(id)) return ApiResponse.json(node);
    }
    return ApiResponse.notFound("no node has this id");
  }
}
