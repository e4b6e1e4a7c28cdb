package org.quorumail.api;

import java.util.List;
import org.quorumail.api.Route.Access;

/** The cluster: status, nodes, replication. */
final class ClusterRoutes {
  private final ClusterView cluster;

  ClusterRoutes(ClusterView cluster) {
    this.cluster = cluster;
  }

  List<Route> routes() {
    return List.of(
        new Route("GET", "/cluster/status", Access.READ, r -> Response.json(cluster.status())),
        new Route("GET", "/api/cluster/status", Access.READ, r -> Response.json(cluster.status())),
        new Route("GET", "/cluster/nodes", Access.READ, r -> Response.json(cluster.nodes())),
        new Route("GET", "/api/cluster/nodes", Access.READ, r -> Response.json(cluster.nodes())),
        new Route("POST", "/api/cluster/elect", Access.WRITE, r -> elect()),
        new Route("GET", "/cluster/nodes/{id}", Access.READ, this::node),
        new Route("GET", "/api/cluster/nodes/{id}", Access.READ, this::node),
        new Route(
            "GET",
            "/api/cluster/replication/stats",
            Access.READ,
            r -> Response.json(cluster.replication())));
  }

  private Response elect() {
    ClusterView.Election election = cluster.elect();
    if (election.elected()) return Response.json(election);
    return Response.problem(409, "Conflict", election.reason());
  }

  private Response node(Request request) {
    String id = request.variable("id");
    for (ClusterView.Node node : cluster.nodes()) {
      if (node.id().equals(id)) return Response.json(node);
    }
    return Response.notFound("no node has this id");
  }
}
