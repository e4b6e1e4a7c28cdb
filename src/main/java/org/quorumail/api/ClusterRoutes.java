package org.quorumail.api;

import java.util.List;
import org.quorumail.api.ApiRoute.Access;

/** The routes of the cluster: status, nodes, leadership, replication. */
final class ClusterRoutes {
  private final ClusterView cluster;

  ClusterRoutes(ClusterView cluster) {
    this.cluster = cluster;
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
        new ApiRoute("POST", "/api/cluster/elect", Access.WRITE, r -> elect()),
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

  private ApiResponse elect() {
    ClusterView.ElectionResult election = cluster.transferLeadership();
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
