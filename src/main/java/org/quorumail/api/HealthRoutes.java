package org.quorumail.api;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.quorumail.api.ApiRoute.Access;
import org.quorumail.api.NodeView.NodeHealth;

/** The routes of health for people and of the two probes of an orchestrator. */
final class HealthRoutes {
  private final NodeView node;

  private final ClusterView cluster;

  HealthRoutes(NodeView node, ClusterView cluster) {
    this.node = node;
    this.cluster = cluster;
  }

  List<ApiRoute> routes() {
    List<ApiRoute> routes = new ArrayList<>();
    for (String path : List.of("/health", "/healthz")) {
      routes.add(new ApiRoute("GET", path, Access.PROBE, r -> overall()));
    }
    for (String path : List.of("/health/live", "/health/livez", "/livez")) {
      routes.add(new ApiRoute("GET", path, Access.PROBE, r -> live()));
    }
    for (String path : List.of("/health/ready", "/health/readyz", "/readyz")) {
      routes.add(new ApiRoute("GET", path, Access.PROBE, r -> ready()));
    }
    return List.copyOf(routes);
  }

  /**
   * The health of the node and of the cluster around it. Unhealthy means that no mail can be
   * accepted: no quorum, a cluster that is forming, or a loop that makes no progress. Degraded
   * means that something is missing and mail still flows.
   */
  private ApiResponse overall() {
    NodeHealth health = node.health();
    ClusterView.ClusterStatus nodes = cluster.status();
    boolean complete = nodes.unhealthyNodes() == 0;
    boolean working = health.alive() && (health.clusterReady() || health.draining());
    boolean sound =
        health.ready() && complete && health.clockSteady() && health.groupsBehind().isEmpty();
    String status = !working ? "Unhealthy" : sound ? "Healthy" : "Degraded";
    return ApiResponse.json(
        working ? 200 : 503, new OverallHealth(status, nodes.state(), checks(health, complete)));
  }

  private static Map<String, String> checks(NodeHealth health, boolean complete) {
    Map<String, String> checks = new LinkedHashMap<>();
    checks.put("alive", statusText(health.alive()));
    checks.put("smtp", statusText(health.smtpReady()));
    checks.put("spool", statusText(health.spoolReady()));
    checks.put("delivery", statusText(health.deliveryReady()));
    checks.put("dns", statusText(health.dnsReady()));
    checks.put("cluster", statusText(health.clusterReady()));
    checks.put("nodes", complete ? "Healthy" : "Degraded");
    checks.put("queue_size", statusText(health.queueSize() <= health.maxQueueSize()));
    checks.put("clock", health.clockSteady() ? "Healthy" : "Degraded");
    checks.put(
        "replicas",
        health.groupsBehind().isEmpty()
            ? "Healthy"
            : "Degraded: has not caught up with " + String.join(", ", health.groupsBehind()));
    checks.put("draining", health.draining() ? "Degraded" : "Healthy");
    checks.put("maintenance", health.maintenance() ? "Degraded" : "Healthy");
    return checks;
  }

  private static String statusText(boolean good) {
    return good ? "Healthy" : "Unhealthy";
  }

  private ApiResponse live() {
    if (node.isAlive()) return ApiResponse.text("text/plain", "OK");
    return ApiResponse.problem(503, "Service Unavailable", "the node makes no progress");
  }

  private ApiResponse ready() {
    NodeHealth h = node.health();
    if (h.ready()) return ApiResponse.text("text/plain", "OK");
    return ApiResponse.json(
        503,
        new ReadinessReport(
            h.alive(),
            h.ready(),
            h.smtpReady(),
            h.spoolReady(),
            h.deliveryReady(),
            h.dnsReady(),
            h.clusterReady(),
            h.queueSize(),
            h.maxQueueSize()));
  }

  record OverallHealth(String status, String clusterState, Map<String, String> checks) {}

  record ReadinessReport(
      boolean alive,
      boolean ready,
      boolean smtpReady,
      boolean spoolReady,
      boolean deliveryReady,
      boolean dnsReady,
      boolean clusterReady,
      long queueSize,
      long maxQueueSize) {}
}
